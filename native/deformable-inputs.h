// Inputs of the deformable attention operations, for any device.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "deformable-sampling.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace sonoground {

// Integers up to this are exact in float32, as cell coordinates must be.
constexpr int64_t kLargestSide = 1 << 24;

inline absl::Status Mismatch(const char* what, const std::string& expected, const std::string& actual) {
  return absl::InvalidArgumentError(absl::StrCat("deformable attention: expected ", what, " ", expected, ", got ", actual));
}

inline absl::Status CheckRank(const tensorflow::Tensor& tensor, const char* name, int rank) {
  if (tensor.dims() == rank) return absl::OkStatus();
  return Mismatch(name, absl::StrCat("of rank ", rank), tensor.shape().DebugString());
}

inline absl::Status CheckShape(const tensorflow::Tensor& tensor, const char* name, std::initializer_list<int64_t> expected) {
  const tensorflow::TensorShape shape(expected);
  if (tensor.shape() == shape) return absl::OkStatus();
  return Mismatch(name, absl::StrCat("of shape ", shape.DebugString()), tensor.shape().DebugString());
}

// Reads the inputs after checking every assumption of the arithmetic. `levels` owns the array that `in` points to. The shapes are
// in host memory; of the other tensors only the addresses are used.
inline absl::Status ReadInputs(tensorflow::OpKernelContext* context, std::vector<Level>* levels, Inputs* in) {
  const tensorflow::Tensor &value = context->input(0), &shapes = context->input(1);
  const tensorflow::Tensor &locations = context->input(2), &weights = context->input(3);
  TF_RETURN_IF_ERROR(CheckRank(value, "value", 4));
  TF_RETURN_IF_ERROR(CheckRank(shapes, "spatial_shapes", 2));
  TF_RETURN_IF_ERROR(CheckRank(locations, "locations", 6));
  Sizes s;
  s.batch = value.dim_size(0), s.cells = value.dim_size(1), s.heads = value.dim_size(2), s.depth = value.dim_size(3);
  s.levels = shapes.dim_size(0), s.queries = locations.dim_size(1), s.points = locations.dim_size(4);
  TF_RETURN_IF_ERROR(CheckShape(shapes, "spatial_shapes", {std::max<int64_t>(s.levels, 1), 2}));
  TF_RETURN_IF_ERROR(CheckShape(locations, "locations", {s.batch, s.queries, s.heads, s.levels, s.points, 2}));
  TF_RETURN_IF_ERROR(CheckShape(weights, "weights", {s.batch, s.queries, s.heads, s.levels, s.points}));
  if (s.depth < 1) return Mismatch("value", "with at least one number a head", value.shape().DebugString());
  const int32_t* sides = shapes.flat<int32_t>().data();
  int64_t start = 0;
  for (int64_t l = 0; l < s.levels; ++l) {
    const int64_t height = sides[2 * l], width = sides[2 * l + 1];
    if (height < 1 || width < 1 || height > kLargestSide || width > kLargestSide)
      return Mismatch("levels", absl::StrCat("with sides from 1 to ", kLargestSide), absl::StrCat(height, " x ", width));
    levels->push_back({height, width, start});
    start += height * width;
    if (start > s.cells) break;  // before it could overflow
  }
  if (start != s.cells)
    return Mismatch("levels", absl::StrCat("of ", s.cells, " cells, as value has"),
                    absl::StrCat(start, start > s.cells ? " or more" : ""));
  *in = {s, levels->data(), value.flat<float>().data(), locations.flat<float>().data(), weights.flat<float>().data()};
  return absl::OkStatus();
}

}  // namespace sonoground
