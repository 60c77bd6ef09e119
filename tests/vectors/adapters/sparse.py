"""Sparse and ragged tensors: TensorFlow.js returns objects with names of its own."""

from __future__ import annotations

from typing import Any

from adapting import Indices, TensorLike, adapter

import lamina


@adapter("sparseToDense")
def sparse_to_dense(indices: Indices, values: TensorLike, output_shape: Any, default_value: TensorLike = 0) -> Any:
    return lamina.sparse_to_dense(indices, values, output_shape, default_value)


@adapter("sparse.sparseFillEmptyRows")
def fill_empty_rows(indices: Indices, values: TensorLike, dense_shape: Indices, default_value: TensorLike) -> Any:
    found = lamina.sparse.fill_empty_rows(indices, values, dense_shape, default_value)
    return {
        "outputIndices": found.indices,
        "outputValues": found.values,
        "emptyRowIndicator": found.empty_row_indicator,
        "reverseIndexMap": found.reverse_index_map,
    }


@adapter("sparse.sparseReshape")
def reshape(indices: Indices, shape: Indices, new_shape: Indices) -> Any:
    found = lamina.sparse.reshape(indices, shape, new_shape)
    return {"outputIndices": found.indices, "outputShape": found.shape}


@adapter("sparse.sparseSegmentSum")
def segment_sum(data: TensorLike, indices: Indices, segment_ids: Indices) -> Any:
    return lamina.sparse.segment_sum(data, indices, segment_ids)


@adapter("sparse.sparseSegmentMean")
def segment_mean(data: TensorLike, indices: Indices, segment_ids: Indices) -> Any:
    return lamina.cast(lamina.sparse.segment_mean(data, indices, segment_ids), data.dtype)


@adapter("raggedGather")
def ragged_gather(splits: Any, values: TensorLike, indices: Indices, ragged_rank: int) -> Any:
    found = lamina.ragged_gather(splits, values, indices, ragged_rank)
    return {"outputNestedSplits": list(found.nested_splits), "outputDenseValues": found.values}


@adapter("raggedRange")
def ragged_range(starts: TensorLike, limits: TensorLike, deltas: TensorLike) -> Any:
    found = lamina.ragged_range(starts, limits, deltas)
    return {"rtNestedSplits": found.splits, "rtDenseValues": found.values}


@adapter("raggedTensorToTensor")
def ragged_tensor_to_tensor(
    shape: Indices, values: TensorLike, default_value: TensorLike, partitions: Any, types: Any
) -> Any:
    return lamina.ragged_tensor_to_tensor(shape, values, default_value, partitions, types)
