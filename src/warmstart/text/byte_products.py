"""Products of bytes by ONNX Runtime: the one operation of numerical work that is quick in integers and not in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from warmstart.text.onnx import open_session

ZERO = 128  # stands for zero in an unsigned byte


def byte_products(table: np.ndarray) -> Any:
    """A session that multiplies bytes with a table: ``said`` uint8 (m, d) -> float32 (m, n), the sums exact.

    Parameters
    ----------
    table
        int8, shape (d, n), from -63 to 63: processors without VNNI add up pairs of products in sixteen bits.

    Examples
    --------
    >>> session = byte_products(np.array([[1, -2], [3, 0]], np.int8))
    >>> session.run(None, {"said": np.array([[ZERO + 2, ZERO - 1]], np.uint8)})[0].tolist()
    [[-1.0, -4.0]]
    """
    from onnx import TensorProto, helper, numpy_helper  # a third of a second

    names = ["said", "table", "one", "one", "zero"]
    constants = {"table": table, "one": np.float32(1), "zero": np.uint8(ZERO)}
    node = helper.make_node("MatMulIntegerToFloat", names, ["found"], domain="com.microsoft")
    d, n = table.shape
    graph = helper.make_graph(
        [node],
        "products",
        [helper.make_tensor_value_info("said", TensorProto.UINT8, ["m", d])],
        [helper.make_tensor_value_info("found", TensorProto.FLOAT, ["m", n])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    domains = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return open_session(helper.make_model(graph, opset_imports=domains, ir_version=9).SerializeToString())
