// Shared by the operations of linear maps: their activation, the checks of their inputs, and the packing of a weight.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kernels.h"
#include "parallel.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace sonoground {

constexpr char kActivationAttribute[] = "activation: {'', 'Relu', 'GeluExact'} = ''";

inline absl::Status ReadActivation(tensorflow::OpKernelConstruction* context, LinearMap::Activation* activation) {
  std::string name;
  TF_RETURN_IF_ERROR(context->GetAttr("activation", &name));
  *activation = name == "Relu" ? LinearMap::kRelu : name == "GeluExact" ? LinearMap::kGelu : LinearMap::kNone;
  return absl::OkStatus();
}

// The output's shape, [rows of x, outputs], of which input `bias` has one each.
inline absl::Status SetOutputShape(tensorflow::shape_inference::InferenceContext* c, int bias) {
  tensorflow::shape_inference::ShapeHandle x, last;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 2, &x));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(bias), 1, &last));
  c->set_output(0, c->Matrix(c->Dim(x, 0), c->Dim(last, 0)));
  return absl::OkStatus();
}

// Float32 weights are packed in each call, as they may change between calls. Weights in bfloat16 are packed once, by
// SonogroundPackBfloat16, in the format of this process's kernels: int32 [panels, pairs].
template <bool kHalf>
const Products& ProductsOf() {
  return kHalf ? Kernels().bfloat16 : Kernels().float32;
}

// Number of panels of the packed weight.
inline int64_t Panels(const Products& products, const LinearMap& m) { return (m.out + products.nr - 1) / products.nr; }

// Reads weight and bias if they fit a map with `in` inputs.
template <bool kHalf>
bool ReadMap(const tensorflow::Tensor& weight, const tensorflow::Tensor& bias, int64_t in, LinearMap* m) {
  if (weight.dims() != 2 || bias.dims() != 1) return false;
  m->in = in, m->out = bias.dim_size(0), m->bias = bias.flat<float>().data();
  if constexpr (kHalf) {
    const Products& products = ProductsOf<true>();
    return weight.dim_size(0) == Panels(products, *m) && weight.dim_size(1) == products.packedPanelSize(*m);
  } else {
    m->weight = weight.flat<float>().data();
    return weight.dim_size(0) == m->out && weight.dim_size(1) == in;
  }
}

// Reads the tensor to be added to `rows` rows of results; an empty one means none.
inline absl::Status ReadAdded(const char* operation, const tensorflow::Tensor& added, int64_t rows, LinearMap* m) {
  if (added.NumElements() == 0) return absl::OkStatus();
  if (added.dims() != 2 || added.dim_size(0) != rows || added.dim_size(1) != m->out)
    return absl::InvalidArgumentError(absl::StrCat(operation, ": expected added [rows, out], here [", rows, ",", m->out, "], got ",
                                                   added.shape().DebugString()));
  m->added = added.flat<float>().data();
  return absl::OkStatus();
}

// The packed weight: the input itself in bfloat16; all panels of a float32 weight are packed now, into `memory`, on TensorFlow's threads.
template <bool kHalf>
absl::Status PackedB(tensorflow::OpKernelContext* context, const LinearMap& m, const tensorflow::Tensor& weight,
                     tensorflow::Tensor* memory, const float** packed) {
  if constexpr (kHalf) {
    *packed = reinterpret_cast<const float*>(weight.flat<int32_t>().data());
  } else {
    const Products& products = ProductsOf<false>();
    const int64_t size = products.packedPanelSize(m), panels = Panels(products, m);
    TF_RETURN_IF_ERROR(context->allocate_temp(tensorflow::DT_FLOAT, {panels * size}, memory));
    float* all = memory->flat<float>().data();
    ParallelFor(context, panels, 1, [&](int64_t from, int64_t to) { products.packB(m, from, to, all + from * size); });
    *packed = all;
  }
  return absl::OkStatus();
}

}  // namespace sonoground
