// Runs a graph of operations as one: created once from its GraphDef, then run by its id with input and output tensors. Between
// its operations only TensorFlow's executor runs, whereas each operation of the eager interface passes through JavaScript.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/graph.pb.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/protobuf/config.pb.h"
#include "tensorflow/core/public/session.h"
#include "tensorflow/core/public/session_options.h"

namespace sonoground {
namespace {

using tensorflow::DEVICE_CPU;
using tensorflow::OpInputList;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Session;
using tensorflow::Tensor;
using tensorflow::shape_inference::InferenceContext;

REGISTER_OP("SonogroundMakeGraph")
    .Input("definition: int32")  // the bytes of a GraphDef, four per element, the last one padded
    .Attr("bytes: int")
    .Attr("feeds: string")    // names of the fed tensors, separated by commas: first all floats, then int32, then bool
    .Attr("fetches: string")  // likewise
    .Attr("in_caller: bool = false")  // run on the calling thread: nothing is handed over between operations in a fixed order
    .Output("graph: int32")   // an id
    .SetIsStateful()
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->Scalar());
      return absl::OkStatus();
    });

REGISTER_OP("SonogroundRunGraph")
    .Input("floats: float_feeds * float")
    .Input("ints: int_feeds * int32")
    .Input("bools: bool_feeds * bool")
    .Attr("float_feeds: int >= 0")
    .Attr("int_feeds: int >= 0")
    .Attr("bool_feeds: int >= 0")
    .Attr("float_fetches: int >= 0")
    .Attr("int_fetches: int >= 0")
    .Attr("bool_fetches: int >= 0")
    .Attr("graph: int")
    .Output("float_results: float_fetches * float")
    .Output("int_results: int_fetches * int32")
    .Output("bool_results: bool_fetches * bool")
    .SetIsStateful()
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_OP("SonogroundDropGraph").Attr("graph: int").Output("dropped: bool").SetIsStateful().SetShapeFn([](InferenceContext* c) {
  c->set_output(0, c->Scalar());
  return absl::OkStatus();
});

// Softmax by TensorFlow's own kernel. In a graph, oneDNN's would replace it, whose last bits differ; single operations use the stock
// kernel, and a graph has to equal them.
REGISTER_OP("SonogroundSoftmax")
    .Input("logits: float")
    .Output("softmax: float")
    .SetShapeFn(tensorflow::shape_inference::UnchangedShape);

// A session with a single function.
class Graph {
 public:
  static absl::Status Make(const tensorflow::GraphDef& definition, const tensorflow::CallableOptions& options,
                           std::shared_ptr<Graph>* graph) {
    tensorflow::SessionOptions session_options;
    (*session_options.config.mutable_device_count())["GPU"] = 0;
    // No graph optimisation: it would take seconds, and could fuse operations.
    auto* graph_options = session_options.config.mutable_graph_options();
    graph_options->mutable_rewrite_options()->set_disable_meta_optimizer(true);
    graph_options->mutable_optimizer_options()->set_opt_level(tensorflow::OptimizerOptions::L0);
    Session* session = nullptr;
    absl::Status status = tensorflow::NewSession(session_options, &session);
    if (!status.ok()) return status;
    auto made = std::make_shared<Graph>(session);
    status = session->Create(definition);
    if (status.ok()) status = session->MakeCallable(options, &made->callable_);
    if (status.ok()) *graph = std::move(made);
    return status;
  }

  explicit Graph(Session* session) : session_(session) {}
  ~Graph() { session_->Close().IgnoreError(); }

  absl::Status Run(const std::vector<Tensor>& feeds, std::vector<Tensor>* results) {
    return session_->RunCallable(callable_, feeds, results, nullptr);
  }

 private:
  std::unique_ptr<Session> session_;
  Session::CallableHandle callable_ = 0;
};

// The existing graphs, by id. Never destroyed: TensorFlow's threads may outlive static objects.
class Graphs {
 public:
  static Graphs& Get() {
    static Graphs* graphs = new Graphs;
    return *graphs;
  }

  int Add(std::shared_ptr<Graph> graph) {
    absl::MutexLock lock(&mutex_);
    graphs_[next_] = std::move(graph);
    return next_++;
  }

  std::shared_ptr<Graph> Find(int number) {
    absl::MutexLock lock(&mutex_);
    const auto found = graphs_.find(number);
    return found == graphs_.end() ? nullptr : found->second;
  }

  bool Drop(int number) {
    std::shared_ptr<Graph> dropped;  // destroyed after the lock is released
    absl::MutexLock lock(&mutex_);
    const auto found = graphs_.find(number);
    if (found == graphs_.end()) return false;
    dropped = std::move(found->second);
    graphs_.erase(found);
    return true;
  }

 private:
  absl::Mutex mutex_;
  int next_ = 1;
  std::map<int, std::shared_ptr<Graph>> graphs_;
};

class MakeGraph : public OpKernel {
 public:
  explicit MakeGraph(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("bytes", &bytes_));
    std::string feeds, fetches;
    bool in_caller = false;
    OP_REQUIRES_OK(context, context->GetAttr("feeds", &feeds));
    OP_REQUIRES_OK(context, context->GetAttr("fetches", &fetches));
    OP_REQUIRES_OK(context, context->GetAttr("in_caller", &in_caller));
    if (in_caller) options_.mutable_run_options()->set_inter_op_thread_pool(-1);
    for (const auto name : absl::StrSplit(feeds, ',', absl::SkipEmpty())) options_.add_feed(std::string(name));
    for (const auto name : absl::StrSplit(fetches, ',', absl::SkipEmpty())) options_.add_fetch(std::string(name));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& definition = context->input(0);
    OP_REQUIRES(context, bytes_ >= 0 && bytes_ <= definition.NumElements() * 4,
                absl::InvalidArgumentError(absl::StrCat("graph: ", bytes_, " bytes of ", definition.NumElements() * 4)));
    tensorflow::GraphDef parsed;
    OP_REQUIRES(context, parsed.ParseFromArray(definition.flat<int32_t>().data(), static_cast<int>(bytes_)),
                absl::InvalidArgumentError("graph: the bytes are no GraphDef"));
    std::shared_ptr<Graph> graph;
    OP_REQUIRES_OK(context, Graph::Make(parsed, options_, &graph));
    Tensor* number;
    OP_REQUIRES_OK(context, context->allocate_output(0, {}, &number));
    number->scalar<int32_t>()() = Graphs::Get().Add(std::move(graph));
  }

 private:
  int64_t bytes_ = 0;
  tensorflow::CallableOptions options_;
};

class RunGraph : public OpKernel {
 public:
  explicit RunGraph(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("graph", &graph_));
  }

  void Compute(OpKernelContext* context) override {
    const std::shared_ptr<Graph> graph = Graphs::Get().Find(graph_);
    OP_REQUIRES(context, graph != nullptr, absl::NotFoundError(absl::StrCat("graph: there is none of number ", graph_)));
    std::vector<Tensor> feeds, results;
    feeds.reserve(context->num_inputs());
    for (int i = 0; i < context->num_inputs(); i++) feeds.push_back(context->input(i));
    OP_REQUIRES_OK(context, graph->Run(feeds, &results));
    OP_REQUIRES(context, static_cast<int>(results.size()) == context->num_outputs(),
                absl::InvalidArgumentError(absl::StrCat("graph: ", results.size(), " results, expected ", context->num_outputs())));
    for (int i = 0; i < context->num_outputs(); i++) {
      OP_REQUIRES(context, results[i].dtype() == context->expected_output_dtype(i),
                  absl::InvalidArgumentError(absl::StrCat("graph: result ", i, " is of another type than expected")));
      context->set_output(i, results[i]);
    }
  }

 private:
  int graph_ = 0;
};

class DropGraph : public OpKernel {
 public:
  explicit DropGraph(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("graph", &graph_));
  }

  void Compute(OpKernelContext* context) override {
    Tensor* dropped;
    OP_REQUIRES_OK(context, context->allocate_output(0, {}, &dropped));
    dropped->scalar<bool>()() = Graphs::Get().Drop(graph_);
  }

 private:
  int graph_ = 0;
};

class StockSoftmax : public OpKernel {
 public:
  explicit StockSoftmax(OpKernelConstruction* context) : OpKernel(context) {
    tensorflow::NodeDef definition;
    definition.set_name(name());
    definition.set_op("Softmax");
    definition.add_input("logits");
    (*definition.mutable_attr())["T"].set_type(tensorflow::DT_FLOAT);
    absl::Status status;
    stock_ = tensorflow::CreateOpKernel(tensorflow::DeviceType(DEVICE_CPU), context->device(),
                                        context->device()->GetAllocator(tensorflow::AllocatorAttributes()), definition,
                                        context->graph_def_version(), &status);
    OP_REQUIRES_OK(context, status);
  }

  // The signatures are the same, so the stock kernel works on this one's inputs and outputs.
  void Compute(OpKernelContext* context) override { stock_->Compute(context); }

 private:
  std::unique_ptr<OpKernel> stock_;
};

REGISTER_KERNEL_BUILDER(Name("SonogroundSoftmax").Device(DEVICE_CPU), StockSoftmax);
REGISTER_KERNEL_BUILDER(Name("SonogroundMakeGraph").Device(DEVICE_CPU), MakeGraph);
REGISTER_KERNEL_BUILDER(Name("SonogroundRunGraph").Device(DEVICE_CPU), RunGraph);
REGISTER_KERNEL_BUILDER(Name("SonogroundDropGraph").Device(DEVICE_CPU), DropGraph);

}  // namespace
}  // namespace sonoground
