def draw(w,o): return []
