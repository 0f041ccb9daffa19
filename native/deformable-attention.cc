// Multi-scale deformable attention as TensorFlow operations for the CPU: checks, memory and threads. The arithmetic is in
// deformable-sampling.cc.

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "deformable-sampling.h"
#include "in-blocks.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace sonoground {
namespace {

using tensorflow::DEVICE_CPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

// Whole float32 numbers are exact to here; coordinates of cells must be.
constexpr int64_t kLargestSide = 1 << 24;

constexpr char kValue[] = "value: float", kShapes[] = "spatial_shapes: int32", kLocations[] = "locations: float",
               kWeights[] = "weights: float";

REGISTER_OP("SonogroundDeformableAttention")
    .Input(kValue)          // [B, S, H, D]
    .Input(kShapes)         // [L, 2]: height and width of each level
    .Input(kLocations)      // [B, Q, H, L, P, 2]: x, y
    .Input(kWeights)        // [B, Q, H, L, P]
    .Output("sum: float")   // [B, Q, H * D]
    .SetShapeFn([](InferenceContext* c) {
      ShapeHandle value, locations;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 4, &value));
      TF_RETURN_IF_ERROR(c->WithRank(c->input(2), 6, &locations));
      tensorflow::shape_inference::DimensionHandle columns;
      TF_RETURN_IF_ERROR(c->Multiply(c->Dim(value, 2), c->Dim(value, 3), &columns));
      c->set_output(0, c->MakeShape({c->Dim(value, 0), c->Dim(locations, 1), columns}));
      return absl::OkStatus();
    });

REGISTER_OP("SonogroundDeformableAttentionGrad")
    .Input(kValue)
    .Input(kShapes)
    .Input(kLocations)
    .Input(kWeights)
    .Input("sum_gradient: float")  // [B, Q, H * D]
    .Output("value_gradient: float")
    .Output("locations_gradient: float")
    .Output("weights_gradient: float")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->input(0));
      c->set_output(1, c->input(2));
      c->set_output(2, c->input(3));
      return absl::OkStatus();
    });

absl::Status Mismatch(const char* what, const std::string& expected, const std::string& actual) {
  return absl::InvalidArgumentError(absl::StrCat("deformable attention: expected ", what, " ", expected, ", got ", actual));
}

absl::Status CheckRank(const Tensor& tensor, const char* name, int rank) {
  if (tensor.dims() == rank) return absl::OkStatus();
  return Mismatch(name, absl::StrCat("of rank ", rank), tensor.shape().DebugString());
}

absl::Status CheckShape(const Tensor& tensor, const char* name, std::initializer_list<int64_t> expected) {
  const TensorShape shape(expected);
  if (tensor.shape() == shape) return absl::OkStatus();
  return Mismatch(name, absl::StrCat("of shape ", shape.DebugString()), tensor.shape().DebugString());
}

// Reads the inputs after checking all that the arithmetic relies on. `levels` holds what `in` points to.
absl::Status Read(OpKernelContext* context, std::vector<Level>* levels, Inputs* in) {
  const Tensor &value = context->input(0), &shapes = context->input(1);
  const Tensor &locations = context->input(2), &weights = context->input(3);
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

class DeformableAttention : public OpKernel {
 public:
  explicit DeformableAttention(OpKernelConstruction* context) : OpKernel(context) {}

  void Compute(OpKernelContext* context) override {
    std::vector<Level> levels;
    Inputs in;
    OP_REQUIRES_OK(context, Read(context, &levels, &in));
    const Sizes& s = in.sizes;
    Tensor* sum;
    OP_REQUIRES_OK(context, context->allocate_output(0, {s.batch, s.queries, s.heads * s.depth}, &sum));
    if (sum->NumElements() == 0) return;
    float* output = sum->flat<float>().data();
    InBlocks(context, s.batch * s.queries, kRows, [&](int64_t from, int64_t to) {
      std::vector<Share> table(4 * s.levels * s.points);
      SampleRows(in, from, to, table.data(), output);
    });
  }

 private:
  static constexpr int64_t kRows = 64;
};

class DeformableAttentionGrad : public OpKernel {
 public:
  explicit DeformableAttentionGrad(OpKernelConstruction* context) : OpKernel(context) {}

  void Compute(OpKernelContext* context) override {
    std::vector<Level> levels;
    Inputs in;
    OP_REQUIRES_OK(context, Read(context, &levels, &in));
    const Sizes& s = in.sizes;
    const Tensor& sumGradient = context->input(4);
    OP_REQUIRES_OK(context, CheckShape(sumGradient, "sum_gradient", {s.batch, s.queries, s.heads * s.depth}));
    Tensor *value, *locations, *weights;
    OP_REQUIRES_OK(context, context->allocate_output(0, context->input(0).shape(), &value));
    OP_REQUIRES_OK(context, context->allocate_output(1, context->input(2).shape(), &locations));
    OP_REQUIRES_OK(context, context->allocate_output(2, context->input(3).shape(), &weights));
    const Gradients out = {value->flat<float>().data(), locations->flat<float>().data(), weights->flat<float>().data()};
    const float* outputGradient = sumGradient.flat<float>().data();

    // A head with all its levels reads each query once. Where that makes too few parts for the threads, each level is one.
    const int threads = context->device()->tensorflow_cpu_worker_threads()->num_threads;
    const int64_t groups = s.batch * s.heads >= 2 * threads ? 1 : s.levels;
    std::atomic<bool> outOfMemory{false};
    InBlocks(context, s.batch * s.heads * groups, 1, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; ++i) {
        const int64_t group = i % groups, head = i / groups % s.heads, image = i / groups / s.heads;
        const Part part = {image, head, groups == 1 ? 0 : group, groups == 1 ? s.levels : group + 1};
        const std::unique_ptr<float[]> scratch(new (std::nothrow) float[2 * CellsOf(in, part) * s.depth]);
        if (scratch == nullptr) {
          outOfMemory = true;
          return;
        }
        SampleGradients(in, part, outputGradient, scratch.get(), out);
      }
    });
    OP_REQUIRES(context, !outOfMemory, absl::ResourceExhaustedError("deformable attention: no memory for the gradient"));
  }
};

REGISTER_KERNEL_BUILDER(Name("SonogroundDeformableAttention").Device(DEVICE_CPU), DeformableAttention);
REGISTER_KERNEL_BUILDER(Name("SonogroundDeformableAttentionGrad").Device(DEVICE_CPU), DeformableAttentionGrad);

}  // namespace
}  // namespace sonoground
