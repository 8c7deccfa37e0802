"""Functions of whole columns as Ray expressions that `Dataset.add_column` can call as well."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
from ray.data.block import BlockAccessor
from ray.data.datatype import DataType
from ray.data.expressions import ColumnExpr, Expr, LiteralExpr, UDFExpr, udf
from ray.data.extensions import ArrowTensorArray, TensorArray

from ratiopath.call.batch import check_literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ratiopath.call.query import Query


# Ray's operators and visitors need the base class's own equality and repr.
@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class BatchExpression(UDFExpr):
    """An expression for `Dataset.with_column` that is also a function of a batch.

    `Dataset.add_column` calls it with a pandas DataFrame, an Arrow table or a dictionary of arrays.
    """

    def __call__(self, batch: Any) -> Any:
        """Evaluate the expression on a batch."""
        args = [_evaluate(argument, batch) for argument in self.args]
        kwargs = {name: _evaluate(argument, batch) for name, argument in self.kwargs.items()}
        result = self.fn(*args, **kwargs)
        # A batch of NumPy arrays gets one back, of dictionaries.
        if isinstance(batch, dict) and isinstance(result, pa.Array):
            return result.to_numpy(zero_copy_only=False)  # pyright: ignore[reportAttributeAccessIssue] # pyarrow ships no types
        return result


def expression(
    function: Callable[..., Any],
    return_dtype: DataType,
    query: Query[object],
) -> BatchExpression:
    """Build an expression that calls a function with a query and its columns by keyword.

    Args:
        function: A function of a module, which workers import rather than unpickle, so that what
            it caches lives as long as the worker.
        return_dtype: What `Dataset.schema` says of the column.
        query: Its columns are Ray expressions, or values for all rows. What is shipped to workers
            is the query without them.

    Returns:
        The expression.

    Raises:
        TypeError: A value for all rows is of the wrong type.
        ValueError: It is out of range, or no column is an expression, so that nothing says how many
            rows there are.
    """
    columns = query.columns
    # Refused here, where the caller's line is in the trace: a worker's error names none.
    for name, column in columns.items():
        value = column.value if isinstance(column, LiteralExpr) else column
        if not isinstance(value, Expr):
            check_literal(name, value)
    if not any(isinstance(column, Expr) for column in columns.values()):
        raise ValueError("at least one argument must be a column, such as tile_x=col('tile_x')")
    # A builder of expressions, whatever its annotation says.
    build = cast("Callable[..., UDFExpr]", udf(return_dtype)(function))
    # Columns go as expressions that Ray evaluates; only the rest is shipped as it is.
    built = build(query=query.of({}), **columns)
    fields = {field.name: getattr(built, field.name) for field in dataclasses.fields(built)}
    return BatchExpression(**{name: fields[name] for name in _init_fields()})


def struct_dtype(names: Sequence[str] | None) -> DataType:
    """Return what a column of structs of float64 holds; None for names that only its rows tell."""
    if names is None:
        return DataType(dict)
    return DataType.from_arrow(pa.struct([(name, pa.float64()) for name in names]))


def tensor_column(patches: NDArray[Any], index: Any = None) -> Any:
    """Wrap arrays as a tensor column without copying them.

    Args:
        patches: (N, ...) of one shape, or an object array (N,) of arrays.
        index: The index of a pandas batch, or None.

    Returns:
        An Arrow tensor array, or a Series for a pandas batch.
    """
    if index is not None:
        import pandas as pd  # noqa: PLC0415 - only where the batch is pandas already

        # Ray's array cannot be made of no patches, whose shape nobody knows.
        values = TensorArray(patches) if len(patches) else np.empty(0, object)
        return pd.Series(values, index=index)
    if len(patches) == 0:
        return pa.nulls(0)
    return ArrowTensorArray.from_numpy(patches)


def struct_result(column: pa.StructArray, index: Any = None) -> Any:
    """Return a struct column as it is, or as a Series of dictionaries for a pandas batch."""
    if index is None:
        return column
    import pandas as pd  # noqa: PLC0415 - only where the batch is pandas already

    return pd.Series(column.to_pylist(), index=index, dtype=object)


def pandas_index(*columns: Any) -> Any:
    """Return the index of the first pandas column, or None where there is none."""
    return next((column.index for column in columns if hasattr(column, "iloc")), None)


def _init_fields() -> list[str]:
    return [field.name for field in dataclasses.fields(UDFExpr) if field.init]


def _evaluate(argument: Expr, batch: Any) -> Any:
    if isinstance(argument, LiteralExpr):
        return argument.value
    if isinstance(argument, ColumnExpr):
        column = batch[argument.name]
        return np.asarray(column) if isinstance(batch, dict) else column
    # Ray has no public way to evaluate an expression on a batch.
    from ray.data._internal.planner.plan_expression import (  # noqa: PLC0415 - seldom needed
        expression_evaluator,
    )

    # It knows tables but not NumPy's batches.
    block = BlockAccessor.batch_to_block(batch) if isinstance(batch, dict) else batch
    return expression_evaluator.eval_expr(argument, block)
