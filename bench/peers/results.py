def page(w,p): return ""
