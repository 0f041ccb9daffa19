// Multi-scale deformable attention as TensorFlow operations for the CPU: memory and threads. The arithmetic is in
// deformable-sampling.cc, the checks are in deformable-inputs.h.

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>
#include <vector>

#include "absl/status/status.h"
#include "deformable-inputs.h"
#include "parallel.h"
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
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

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

class DeformableAttention : public OpKernel {
 public:
  explicit DeformableAttention(OpKernelConstruction* context) : OpKernel(context) {}

  void Compute(OpKernelContext* context) override {
    std::vector<Level> levels;
    Inputs in;
    OP_REQUIRES_OK(context, ReadInputs(context, &levels, &in));
    const Sizes& s = in.sizes;
    Tensor* sum;
    OP_REQUIRES_OK(context, context->allocate_output(0, {s.batch, s.queries, s.heads * s.depth}, &sum));
    if (sum->NumElements() == 0) return;
    float* output = sum->flat<float>().data();
    ParallelFor(context, s.batch * s.queries, kRows, [&](int64_t from, int64_t to) {
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
    OP_REQUIRES_OK(context, ReadInputs(context, &levels, &in));
    const Sizes& s = in.sizes;
    const Tensor& sumGradient = context->input(4);
    OP_REQUIRES_OK(context, CheckShape(sumGradient, "sum_gradient", {s.batch, s.queries, s.heads * s.depth}));
    Tensor *value, *locations, *weights;
    OP_REQUIRES_OK(context, context->allocate_output(0, context->input(0).shape(), &value));
    OP_REQUIRES_OK(context, context->allocate_output(1, context->input(2).shape(), &locations));
    OP_REQUIRES_OK(context, context->allocate_output(2, context->input(3).shape(), &weights));
    const Gradients out = {value->flat<float>().data(), locations->flat<float>().data(), weights->flat<float>().data()};
    const float* outputGradient = sumGradient.flat<float>().data();

    // One work item per head reads each query once. If that yields fewer items than threads, each level is a separate item.
    const int threads = context->device()->tensorflow_cpu_worker_threads()->num_threads;
    const int64_t groups = s.batch * s.heads >= 2 * threads ? 1 : s.levels;
    std::atomic<bool> outOfMemory{false};
    ParallelFor(context, s.batch * s.heads * groups, 1, [&](int64_t from, int64_t to) {
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
    OP_REQUIRES(context, !outOfMemory, OutOfMemory("deformable attention gradient"));
  }
};

REGISTER_KERNEL_BUILDER(Name("SonogroundDeformableAttention").Device(DEVICE_CPU), DeformableAttention);
REGISTER_KERNEL_BUILDER(Name("SonogroundDeformableAttentionGrad").Device(DEVICE_CPU), DeformableAttentionGrad);

}  // namespace
}  // namespace sonoground
