// Arithmetic of norms, activations, linear maps and attention on float32 rows, compiled for several processors and chosen when it
// is first used: see vector-kernels.cc. No TensorFlow here.
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

// softmax(scale Q K^T + bias + mask) V for groups of tokens that are picked from rows of matrices: a window of a map is a group.
struct Attention {
  int64_t groups, queries, keys, heads, depth;
  // Where row 0 of each matrix begins, and how far its rows lie apart. Head h begins at h * depth.
  const float *query, *key, *value;
  int64_t queryStride, keyStride, valueStride;
  // Rows of the tokens, [groups, queries] and [groups, keys]; null: one after the other. A negative row is padding: as a query it
  // is left out, as a key it is `paddedKey`, or zeros if that is null.
  const int32_t *queryRows, *keyRows;
  const float *paddedKey, *paddedValue;  // [heads * depth]
  // Added to the scores; null: nothing. [biasHeads, queries, keys] with 1 or all heads, [maskGroups, queries, keys], of which
  // group g takes g % maskGroups.
  const float *bias, *mask;
  int64_t biasHeads, maskGroups;
  float scale;
  // [rows of the queries, heads * depth]
  float* output;
};

// activation(x W^T + bias) + added.
struct LinearMap {
  enum Activation { kNone, kRelu, kGelu };
  int64_t in, out;
  const float* x;       // [rows, in]
  const float* weight;  // [out, in]
  const float* bias;    // [out]
  const float* added;   // [rows, out]; null: nothing
  Activation activation;
  float* output;  // [rows, out]
};

struct VectorKernels {
  const char* name;
  // Rows [from, to) of the norm.
  void (*normalise)(const Norm& norm, int64_t from, int64_t to, float* output);
  // Rows [from, to) of the gradient at x; those at weight and bias, summed over these rows, are written to `sums`, [2, columns].
  void (*normaliseGradient)(const Norm& norm, const float* gradient, int64_t from, int64_t to, float* output, float* sums);
  // x times the normal distribution's function of x.
  void (*gelu)(const float* x, int64_t count, float* output);
  void (*geluGradient)(const float* x, const float* gradient, int64_t count, float* output);
  // Outputs of a linear map that are worked on together, its panels. The last one may have fewer.
  int64_t panel;
  // Floats of one panel of the weight in the order of the product.
  int64_t (*panelSize)(const LinearMap& map);
  // Panels [from, to) of the weight, one after the other from `packed` on.
  void (*packWeight)(const LinearMap& map, int64_t from, int64_t to, float* packed);
  // Rows of so many numbers, of all that is kept for them, that are worked on at a time, for the caches.
  int64_t (*rowsAtATime)(int64_t numbers);
  // How many floats so many rows take in the order of the product; none where it reads them where they lie.
  int64_t (*preparedRows)(const LinearMap& map, int64_t rows);
  void (*prepareRows)(const LinearMap& map, int64_t from, int64_t to, float* prepared);
  // How many floats of scratch one call of `linear` needs for so many rows.
  int64_t (*linearScratch)(const LinearMap& map, int64_t rows);
  // Rows [from, to) of the outputs in panels [fromPanel, toPanel), the first of which is at `packed`; row `from` at `prepared`.
  void (*linear)(const LinearMap& map, const float* prepared, const float* packed, int64_t from, int64_t to, int64_t fromPanel,
                 int64_t toPanel, float* scratch);
  // Rows that `throughHidden` works on at a time, for the caches, and how many floats of scratch a call needs for so many.
  int64_t (*hiddenRowsAtATime)(const LinearMap& expand, const LinearMap& contract);
  int64_t (*hiddenScratch)(const LinearMap& expand, const LinearMap& contract, int64_t rows);
  // Rows [from, to) of `contract` of the results of `expand`, both weights packed as a whole. `contract` has neither x nor an activation.
  void (*throughHidden)(const LinearMap& expand, const LinearMap& contract, const float* packedExpand, const float* packedContract,
                        int64_t from, int64_t to, float* scratch);
  // How many floats of scratch one call of `attend` needs.
  int64_t (*attentionScratch)(const Attention& attention);
  // Queries [from, to) of one head of one group.
  void (*attend)(const Attention& attention, int64_t group, int64_t head, int64_t from, int64_t to, float* scratch);
};

// The kernels for this processor. SONOGROUND_VECTORS=portable, avx2, avx512 or amx takes lesser ones, for tests.
const VectorKernels& Kernels();

}  // namespace sonoground
