// Grouped attention as a TensorFlow operation for the CPU: checks, memory and threads. The arithmetic is in attention.inc.

#include <algorithm>
#include <string>
#include <vector>

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

REGISTER_OP("SonogroundAttention")
    .Input("query: float")       // [R, columns]
    .Input("key: float")         // [S, columns]
    .Input("value: float")       // [S, columns]
    .Input("query_rows: int32")  // [G, N], or [G, 0]: consecutive
    .Input("key_rows: int32")    // [G, M], or [G, 0]: consecutive
    .Input("padding: float")     // [2, heads * depth], or empty: zeros; only where values are as wide as keys
    .Input("bias: float")        // [1 or heads, N, M], or empty
    .Input("mask: float")        // [K, N, M], or empty
    .Attr("heads: int")
    .Attr("depth: int")
    .Attr("value_depth: int = 0")  // of a head's values; 0: as keys
    .Attr("query_offset: int")
    .Attr("key_offset: int")
    .Attr("value_offset: int")
    .Attr("scale: float")
    .Attr("precision: {'float32', 'bfloat16'} = 'float32'")
    .Output("mixed: float")  // [R, heads * value_depth]
    .SetShapeFn([](InferenceContext* c) {
      ShapeHandle query;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 2, &query));
      int64_t heads, depth, values;
      TF_RETURN_IF_ERROR(c->GetAttr("heads", &heads));
      TF_RETURN_IF_ERROR(c->GetAttr("depth", &depth));
      TF_RETURN_IF_ERROR(c->GetAttr("value_depth", &values));
      c->set_output(0, c->Matrix(c->Dim(query, 0), heads * (values == 0 ? depth : values)));
      return absl::OkStatus();
    });

constexpr char kOperation[] = "attention";

absl::Status Mismatch(const char* what, const std::string& expected, const std::string& actual) {
  return absl::InvalidArgumentError(absl::StrCat(kOperation, ": expected ", what, " ", expected, ", got ", actual));
}

class AttentionOperation : public OpKernel {
 public:
  explicit AttentionOperation(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("heads", &heads_));
    OP_REQUIRES_OK(context, context->GetAttr("depth", &depth_));
    OP_REQUIRES_OK(context, context->GetAttr("value_depth", &valueDepth_));
    if (valueDepth_ == 0) valueDepth_ = depth_;
    OP_REQUIRES_OK(context, context->GetAttr("query_offset", offsets_));
    OP_REQUIRES_OK(context, context->GetAttr("key_offset", offsets_ + 1));
    OP_REQUIRES_OK(context, context->GetAttr("value_offset", offsets_ + 2));
    OP_REQUIRES_OK(context, context->GetAttr("scale", &scale_));
    std::string precision;
    OP_REQUIRES_OK(context, context->GetAttr("precision", &precision));
    half_ = precision == "bfloat16";
    OP_REQUIRES(context, heads_ > 0 && depth_ > 0 && valueDepth_ > 0 && *std::min_element(offsets_, offsets_ + 3) >= 0,
                absl::InvalidArgumentError("attention: heads and depth must be positive, offsets not negative"));
  }

  void Compute(OpKernelContext* context) override {
    Attention a = {};
    OP_REQUIRES_OK(context, Read(context, &a));
    Tensor* mixed;
    OP_REQUIRES_OK(context, context->allocate_output(0, {context->input(0).dim_size(0), heads_ * valueDepth_}, &mixed));
    if (mixed->NumElements() == 0) return;
    a.output = mixed->flat<float>().data();
    OP_REQUIRES_OK(context, Attend(context, a));
  }

 private:
  // Work items per thread, so that a delayed thread delays little, and the minimum number of queries per item.
  static constexpr int64_t kShares = 2, kMinQueries = 192;
  // Number of multiplications that justify waking a thread.
  static constexpr int64_t kMinWork = 1 << 20;

  // Each work item packs keys and values again, so the queries of a head are only split if there are fewer heads than threads.
  absl::Status Attend(OpKernelContext* context, const Attention& a) const {
    const Products& kernels = half_ ? Kernels().bfloat16 : Kernels().float32;
    const int64_t heads = a.groups * a.heads, wanted = kShares * context->device()->tensorflow_cpu_worker_threads()->num_threads;
    const int64_t shares = (wanted + heads - 1) / heads;
    const int64_t queries = std::max(kMinQueries, (a.queries / shares + kMinQueries - 1) / kMinQueries * kMinQueries);
    const int64_t chunks = (a.queries + queries - 1) / queries, work = a.queries * a.keys * (a.depth + a.valueDepth) / 2 / chunks;
    const int64_t block = std::max<int64_t>(1, kMinWork / std::max<int64_t>(1, work));
    return ParallelForWithScratch(
        context, kOperation, heads * chunks, block, kernels.attentionScratch(a), [&](int64_t from, int64_t to, float* scratch) {
          for (int64_t i = from; i < to; ++i) {
            const int64_t chunk = i % chunks, head = i / chunks % a.heads, group = i / chunks / a.heads;
            kernels.attend(a, group, head, chunk * queries, std::min(a.queries, (chunk + 1) * queries), scratch);
          }
        });
  }

  absl::Status Read(OpKernelContext* context, Attention* a) const {
    a->heads = heads_, a->depth = depth_, a->valueDepth = valueDepth_, a->scale = scale_;
    TF_RETURN_IF_ERROR(ReadMatrix(context->input(0), "query", offsets_[0], depth_, &a->query, &a->queryStride));
    TF_RETURN_IF_ERROR(ReadMatrix(context->input(1), "key", offsets_[1], depth_, &a->key, &a->keyStride));
    TF_RETURN_IF_ERROR(ReadMatrix(context->input(2), "value", offsets_[2], valueDepth_, &a->value, &a->valueStride));
    const int64_t queryRows = context->input(0).dim_size(0), keyRows = context->input(1).dim_size(0);
    if (context->input(2).dim_size(0) != keyRows)
      return Mismatch("value", absl::StrCat("with the ", keyRows, " rows of key"), context->input(2).shape().DebugString());
    const Tensor &ofQueries = context->input(3), &ofKeys = context->input(4);
    if (ofQueries.dims() != 2 || ofKeys.dims() != 2 || ofQueries.dim_size(0) != ofKeys.dim_size(0) || ofKeys.dim_size(0) < 1)
      return Mismatch("query_rows and key_rows", "[groups, tokens], one group or more",
                      absl::StrCat(ofQueries.shape().DebugString(), " and ", ofKeys.shape().DebugString()));
    a->groups = ofQueries.dim_size(0);
    TF_RETURN_IF_ERROR(ReadRows(ofQueries, "query_rows", queryRows, true, &a->queryRows, &a->queries));
    TF_RETURN_IF_ERROR(ReadRows(ofKeys, "key_rows", keyRows, false, &a->keyRows, &a->keys));
    if (a->keys < 1 && queryRows > 0) return Mismatch("keys", "for the queries", "none");
    const Tensor &padding = context->input(5), &bias = context->input(6), &mask = context->input(7);
    if (padding.NumElements() > 0) {
      if (valueDepth_ != depth_) return Mismatch("padding", "for values as wide as keys", "others");
      if (padding.NumElements() != 2 * heads_ * depth_)
        return Mismatch("padding", absl::StrCat("of shape [2,", heads_ * depth_, "]"), padding.shape().DebugString());
      a->paddedKey = padding.flat<float>().data();
      a->paddedValue = a->paddedKey + heads_ * depth_;
    }
    TF_RETURN_IF_ERROR(ReadAdded(bias, "bias", *a, &a->bias, &a->biasHeads));
    if (a->bias != nullptr && a->biasHeads != 1 && a->biasHeads != heads_)
      return Mismatch("bias", absl::StrCat("of 1 or ", heads_, " heads"), bias.shape().DebugString());
    return ReadAdded(mask, "mask", *a, &a->mask, &a->maskGroups);
  }

  absl::Status ReadMatrix(const Tensor& tensor, const char* name, int64_t offset, int64_t depth, const float** data,
                          int64_t* stride) const {
    if (tensor.dims() != 2 || tensor.dim_size(1) < offset + heads_ * depth)
      return Mismatch(name, absl::StrCat("[rows, ", offset + heads_ * depth, " columns or more]"), tensor.shape().DebugString());
    *data = tensor.flat<float>().data() + offset;
    *stride = tensor.dim_size(1);
    return absl::OkStatus();
  }

  // Rows may be padding. Each query row must appear exactly once: an output row that no query writes would stay uninitialised.
  static absl::Status ReadRows(const Tensor& tensor, const char* name, int64_t available, bool once, const int32_t** rows,
                               int64_t* tokens) {
    const int64_t groups = tensor.dim_size(0);
    *tokens = tensor.dim_size(1);
    *rows = nullptr;
    if (*tokens == 0) {
      if (available % groups != 0)
        return Mismatch(name, absl::StrCat("of a number of groups that divides ", available, " rows"), absl::StrCat(groups));
      *tokens = available / groups;
      return absl::OkStatus();
    }
    *rows = tensor.flat<int32_t>().data();
    std::vector<bool> seen(once ? available : 0);
    int64_t count = 0;
    for (int64_t i = 0; i < groups * *tokens; ++i) {
      const int64_t row = (*rows)[i];
      if (row >= available) return Mismatch(name, absl::StrCat("below ", available), absl::StrCat(row));
      if (row < 0 || !once) continue;
      if (seen[row]) return Mismatch(name, "to name each row once", absl::StrCat(row, " twice"));
      seen[row] = true;
      ++count;
    }
    if (once && count != available) return Mismatch(name, absl::StrCat("to name ", available, " rows"), absl::StrCat(count));
    return absl::OkStatus();
  }

  static absl::Status ReadAdded(const Tensor& tensor, const char* name, const Attention& a, const float** data, int64_t* first) {
    if (tensor.NumElements() == 0) return absl::OkStatus();
    if (tensor.dims() != 3 || tensor.dim_size(1) != a.queries || tensor.dim_size(2) != a.keys)
      return Mismatch(name, absl::StrCat("[any, ", a.queries, ", ", a.keys, "]"), tensor.shape().DebugString());
    *data = tensor.flat<float>().data();
    *first = tensor.dim_size(0);
    return absl::OkStatus();
  }

  int64_t heads_, depth_, valueDepth_, offsets_[3];
  float scale_;
  bool half_ = false;
};

REGISTER_KERNEL_BUILDER(Name("SonogroundAttention").Device(tensorflow::DEVICE_CPU), AttentionOperation);

}  // namespace
}  // namespace sonoground
