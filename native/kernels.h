// The arithmetic of layer norm, GELU, linear maps, MLPs and attention on float32 rows, compiled for several kinds of processors,
// one of which is selected on first use (kernels.cc). Independent of TensorFlow.
//
// The vocabulary is that of BLIS. C = A B: A is [M, K] and holds the input rows, B is [K, N] and holds the transposed weight.
// Both are packed into the order in which the micro-kernel reads them. The micro-kernel computes a tile of C of MR rows and NR
// columns, in steps of KC along K; a panel is NR columns of B; A is processed in blocks of MC rows, which stay in the caches. An
// epilogue is applied to a tile of C before it is stored: bias, activation, addition.
#pragma once

#include <cstdint>

namespace sonoground {

// Layer normalisation of rows: (x - mean) / sqrt(variance + eps) * weight + bias.
struct Norm {
  int64_t columns;
  const float* x;
  const float* weight;
  const float* bias;
  float eps;
};

// softmax(scale Q K^T + bias + mask) V for groups of tokens selected from rows of matrices, such as the windows of a map.
struct Attention {
  int64_t groups, queries, keys, heads, depth, valueDepth;
  // Row 0 of each matrix, and the distance between rows in floats. Head h starts at column h * depth, of values h * valueDepth.
  const float *query, *key, *value;
  int64_t queryStride, keyStride, valueStride;
  // Row indices of the tokens, [groups, queries] and [groups, keys]; null: consecutive. A negative row is padding: skipped as a
  // query; as a key it is `paddedKey`, or zeros if that is null.
  const int32_t *queryRows, *keyRows;
  const float *paddedKey, *paddedValue;  // [heads * depth], [heads * valueDepth]
  // Added to the scores; null: none. [biasHeads, queries, keys] with 1 or all heads; [maskGroups, queries, keys], of which group
  // g takes g % maskGroups.
  const float *bias, *mask;
  int64_t biasHeads, maskGroups;
  float scale;
  float* output;  // [query rows, heads * valueDepth]
};

// softmax(scale Q K^T) V for one head whose keys are projected tokens, turned by the cells of a map: K = R(cell) (tokens W^T + bias). Of
// each pair of channels that is turned, cos and sin tell by how much; the first half of the pairs depends on the column of the cell
// alone, the second on the row.
struct MapAttention {
  int64_t groups, queries, height, width, maps, unplaced, depth, channels, valueDepth;
  const float* query;         // [groups, queries, depth]
  const float* tokens;        // [groups, maps * height * width + unplaced, channels]; the unplaced are not turned
  const float* values;        // of the tokens, [.., valueDepth]
  const float *weight, *bias;  // [depth, channels], [depth]
  const float *cos, *sin;     // [height * width, depth / 2]
  float scale;
  float* output;  // [groups, queries, valueDepth]
};

// activation(x W^T + bias) + added.
struct LinearMap {
  enum Activation { kNone, kRelu, kGelu };
  int64_t in, out;
  const float* x;       // [rows, in]
  const float* weight;  // [out, in]; null once it is packed
  const float* bias;    // [out]
  const float* added;   // [rows, out]; null: none
  Activation activation;
  float* output;  // [rows, out]
};

// Products of one precision, and what is built on them. Inputs and results are float32, sums as well. The factors are float32, or
// rounded to bfloat16, ties to even, when they are packed. Sizes are in floats. Ranges are half-open.
struct Products {
  // NR: columns of a panel of B, and hence outputs of a linear map. The last panel may have fewer.
  int64_t nr;
  // MC: the number of rows of A per block if `floats` floats are kept for each.
  int64_t (*mc)(int64_t floats);
  // Size of one packed panel of the weight; packs panels [from, to), consecutive in `packedB`.
  int64_t (*packedPanelSize)(const LinearMap& map);
  void (*packB)(const LinearMap& map, int64_t from, int64_t to, float* packedB);
  // Size of `rows` packed rows of x, 0 for kernels that read x in place; packs rows [from, to).
  int64_t (*packedASize)(const LinearMap& map, int64_t rows);
  void (*packA)(const LinearMap& map, int64_t from, int64_t to, float* packedA);

  // Rows [from, to) of the outputs in panels [fromPanel, toPanel). `packedA` starts at row `from`, `packedB` at panel `fromPanel`.
  void (*linear)(const LinearMap& map, const float* packedA, const float* packedB, int64_t from, int64_t to, int64_t fromPanel,
                 int64_t toPanel, float* scratch);
  int64_t (*linearScratch)(const LinearMap& map, int64_t rows);

  // Rows [from, to) of `contract` applied to the results of `expand`, which has at least one output. Both weights are fully
  // packed; `contract` has neither x nor an activation. `mlpMc` is the corresponding MC.
  void (*mlp)(const LinearMap& expand, const LinearMap& contract, const float* packedExpand, const float* packedContract,
              int64_t from, int64_t to, float* scratch);
  int64_t (*mlpMc)(const LinearMap& expand, const LinearMap& contract);
  int64_t (*mlpScratch)(const LinearMap& expand, const LinearMap& contract, int64_t rows);

  // Queries [from, to) of one head of one group. Softmax is computed in float32.
  void (*attend)(const Attention& attention, int64_t group, int64_t head, int64_t from, int64_t to, float* scratch);
  int64_t (*attentionScratch)(const Attention& attention);
};

// Attention to maps. Sizes are in floats.
struct MapProducts {
  // Units that tokens and weight are packed in, and their size; packs units [from, to).
  int64_t (*units)(const MapAttention& attention);
  int64_t (*packedSize)(const MapAttention& attention);
  void (*pack)(const MapAttention& attention, int64_t from, int64_t to, float* packed);
  // Panels of queries, and one of them.
  int64_t (*panels)(const MapAttention& attention);
  void (*attend)(const MapAttention& attention, const float* packed, int64_t panel, float* scratch);
  int64_t (*scratch)(const MapAttention& attention);
};

struct CpuKernels {
  const char* name;

  // Rows [from, to) of the layer norm.
  void (*layerNorm)(const Norm& norm, int64_t from, int64_t to, float* output);
  // Rows [from, to) of the gradient with respect to x; the gradients with respect to weight and bias, summed over these rows, are
  // written to `sums`, [2, columns].
  void (*layerNormGradient)(const Norm& norm, const float* gradient, int64_t from, int64_t to, float* output, float* sums);

  // x times the normal cumulative distribution function at x.
  void (*gelu)(const float* x, int64_t count, float* output);
  void (*geluGradient)(const float* x, const float* gradient, int64_t count, float* output);

  Products float32, bfloat16;

  // Null with AMX, where projecting all keys is faster.
  const MapProducts* maps;
};

// The kernels for this processor. SONOGROUND_VECTORS=portable, avx2, avx512, avx512bf16 or amx selects a lesser kind, for tests.
const CpuKernels& Kernels();

}  // namespace sonoground
