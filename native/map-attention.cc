// Attention to tokens on maps as a TensorFlow operation for the CPU: checks, memory and threads. The arithmetic is in
// map-attention.inc.

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kernels.h"
#include "parallel.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace sonoground {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

REGISTER_OP("SonogroundMapAttention")
    .Input("query: float")   // [groups * N, depth]
    .Input("tokens: float")  // [groups * K, channels]: `maps` maps one after the other, then tokens that are not turned
    .Input("values: float")  // [groups * K, value depth]
    .Input("weight: float")  // [depth, channels]
    .Input("bias: float")    // [depth]
    .Input("cos: float")     // [height * width, depth / 2]
    .Input("sin: float")     // [height * width, depth / 2]
    .Attr("groups: int >= 1")
    .Attr("height: int >= 1")
    .Attr("width: int >= 1")
    .Attr("maps: int >= 1")
    .Attr("scale: float")
    .Output("mixed: float")  // [groups * N, value depth]
    .SetShapeFn([](InferenceContext* c) {
      ShapeHandle query, values;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 2, &query));
      TF_RETURN_IF_ERROR(c->WithRank(c->input(2), 2, &values));
      c->set_output(0, c->Matrix(c->Dim(query, 0), c->Dim(values, 1)));
      return absl::OkStatus();
    });

constexpr char kOperation[] = "map attention";

absl::Status Mismatch(const char* what, const std::string& expected, const Tensor& actual) {
  return absl::InvalidArgumentError(
      absl::StrCat(kOperation, ": expected ", what, " ", expected, ", got ", actual.shape().DebugString()));
}

class MapAttentionOperation : public OpKernel {
 public:
  explicit MapAttentionOperation(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("groups", &groups_));
    OP_REQUIRES_OK(context, context->GetAttr("height", &height_));
    OP_REQUIRES_OK(context, context->GetAttr("width", &width_));
    OP_REQUIRES_OK(context, context->GetAttr("maps", &maps_));
    OP_REQUIRES_OK(context, context->GetAttr("scale", &scale_));
  }

  void Compute(OpKernelContext* context) override {
    const MapProducts* kernels = Kernels().maps;
    OP_REQUIRES(context, kernels != nullptr, absl::UnimplementedError("map attention: not with AMX"));
    MapAttention a = {};
    OP_REQUIRES_OK(context, Read(context, &a));
    Tensor* mixed;
    OP_REQUIRES_OK(context, context->allocate_output(0, {context->input(0).dim_size(0), a.valueDepth}, &mixed));
    if (mixed->NumElements() == 0) return;
    a.output = mixed->flat<float>().data();
    const Scratch packed(kernels->packedSize(a));
    OP_REQUIRES(context, packed.get() != nullptr, OutOfMemory(kOperation));
    ParallelFor(context, kernels->units(a), 1, [&](int64_t from, int64_t to) { kernels->pack(a, from, to, packed.get()); });
    // Some blocks a thread, so that a delayed thread delays little.
    constexpr int64_t kShares = 4;
    const int64_t panels = kernels->panels(a), wanted = kShares * context->device()->tensorflow_cpu_worker_threads()->num_threads;
    OP_REQUIRES_OK(context, ParallelForWithScratch(context, kOperation, panels, std::max<int64_t>(1, panels / wanted),
                                                   kernels->scratch(a), [&](int64_t from, int64_t to, float* scratch) {
                                                     for (int64_t i = from; i < to; ++i) kernels->attend(a, packed.get(), i, scratch);
                                                   }));
  }

 private:
  absl::Status Read(OpKernelContext* context, MapAttention* a) const {
    for (int i = 0; i < context->num_inputs(); ++i) {
      const int expected = i == 4 ? 1 : 2;  // the bias is a vector
      if (context->input(i).dims() != expected) return Mismatch("inputs", "that are matrices, and a vector as bias", context->input(i));
    }
    const Tensor &query = context->input(0), &tokens = context->input(1), &values = context->input(2), &weight = context->input(3);
    const Tensor &bias = context->input(4), &cos = context->input(5), &sin = context->input(6);
    a->groups = groups_, a->height = height_, a->width = width_, a->maps = maps_, a->scale = scale_;
    a->depth = query.dim_size(1), a->channels = tokens.dim_size(1), a->valueDepth = values.dim_size(1);
    if (a->depth % 4 != 0) return Mismatch("query", "whose columns are a multiple of 4", query);
    if (query.dim_size(0) % groups_ != 0) return Mismatch("query", absl::StrCat("of ", groups_, " groups"), query);
    a->queries = query.dim_size(0) / groups_;
    const int64_t cells = height_ * width_, keys = tokens.dim_size(0) / groups_;
    if (tokens.dim_size(0) % groups_ != 0 || keys < maps_ * cells)
      return Mismatch("tokens", absl::StrCat("of ", groups_, " groups of ", maps_ * cells, " or more"), tokens);
    a->unplaced = keys - maps_ * cells;
    if (values.dim_size(0) != tokens.dim_size(0)) return Mismatch("values", "for the tokens", values);
    if (weight.dim_size(0) != a->depth || weight.dim_size(1) != a->channels)
      return Mismatch("weight", absl::StrCat("of shape [", a->depth, ",", a->channels, "]"), weight);
    if (bias.dim_size(0) != a->depth) return Mismatch("bias", absl::StrCat("of the length ", a->depth), bias);
    for (const Tensor* angles : {&cos, &sin})
      if (angles->dim_size(0) != cells || angles->dim_size(1) != a->depth / 2)
        return Mismatch("cos and sin", absl::StrCat("of shape [", cells, ",", a->depth / 2, "]"), *angles);
    a->query = query.flat<float>().data(), a->tokens = tokens.flat<float>().data(), a->values = values.flat<float>().data();
    a->weight = weight.flat<float>().data(), a->bias = bias.flat<float>().data();
    a->cos = cos.flat<float>().data(), a->sin = sin.flat<float>().data();
    return absl::OkStatus();
  }

  int64_t groups_, height_, width_, maps_;
  float scale_;
};

REGISTER_KERNEL_BUILDER(Name("SonogroundMapAttention").Device(tensorflow::DEVICE_CPU), MapAttentionOperation);

}  // namespace
}  // namespace sonoground
