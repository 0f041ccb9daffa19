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

// The output's shape, [rows of x, rows of the weight], which is input `weight`.
inline absl::Status SetOutputShape(tensorflow::shape_inference::InferenceContext* c, int weight) {
  tensorflow::shape_inference::ShapeHandle x, last;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 2, &x));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(weight), 2, &last));
  c->set_output(0, c->Matrix(c->Dim(x, 0), c->Dim(last, 0)));
  return absl::OkStatus();
}

// Reads weight and bias if they fit a map with `in` inputs.
inline bool ReadMap(const tensorflow::Tensor& weight, const tensorflow::Tensor& bias, int64_t in, LinearMap* m) {
  if (weight.dims() != 2 || bias.dims() != 1 || weight.dim_size(1) != in || weight.dim_size(0) != bias.dim_size(0)) return false;
  m->in = in, m->out = weight.dim_size(0);
  m->weight = weight.flat<float>().data(), m->bias = bias.flat<float>().data();
  return true;
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

// Number of panels of the packed weight.
inline int64_t Panels(const LinearMap& m) { return (m.out + Kernels().nr - 1) / Kernels().nr; }

// Packs all panels of the weight, on TensorFlow's threads.
inline absl::Status PackB(tensorflow::OpKernelContext* context, const LinearMap& m, tensorflow::Tensor* packed) {
  const int64_t size = Kernels().packedPanelSize(m);
  TF_RETURN_IF_ERROR(context->allocate_temp(tensorflow::DT_FLOAT, {Panels(m) * size}, packed));
  float* panels = packed->flat<float>().data();
  ParallelFor(context, Panels(m), 1, [&](int64_t from, int64_t to) { Kernels().packB(m, from, to, panels + from * size); });
  return absl::OkStatus();
}

}  // namespace sonoground
