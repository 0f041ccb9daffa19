// The accuracy of the products of linear maps, for each kind of kernels that this processor can run (AMX is emulated) and many
// sizes, ranges of values and seeds. Prints a line of JSON for each: the measured error as a multiple of what the arithmetic lets
// expect. With the argument `name`, prints which kernels are chosen for this process.
//
// What is expected. Rounding moves a number by up to half a unit in its last place, either way, each distance as likely as another:
// the mean square is unit^2 / 12. The errors of a sum's additions are independent of each other, so that their mean squares add up.
// Which units they have follows from the partial sums, which are computed here in double precision. Hence no constant: the same
// holds for few terms and many, of equal sizes and of very different ones (where the largest term comes early, all additions
// after it round in proportion to it).
//
// Vectors are to add no more than kInARow numbers in a row: a product is rounded (where the processor cannot fuse it with the
// addition), then its sum with those of its block, and a block's sum with those before.
//
// AMX gets three parts of 8 bits of each number, and six products of parts. Of each product it sums 32 terms in two rows
// of 16, and adds the sum to the total: five times one that is small, so that it rounds the total as it was, then the large one.
// What is left out, a1 b2 + a2 b1, is a b 2^-26 at most; with evenly distributed parts the mean square is a ninth of that for each.

#include "emulated-amx.h"
//
#include "../../native/kernels.cc"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

using namespace sonoground;

namespace {

constexpr int kRows = 20, kOutputs = 40, kInARow = 256, kSeeds = 4;

// Mean square of the error of rounding to float32.
double Rounding(double number) {
  if (number == 0) return 0;
  const double unit = std::ldexp(1.0, std::ilogb(number) - 23);
  return unit * unit / 12;
}

double ExpectedOfBlocks(const std::vector<double>& terms, size_t inARow) {
  double expected = 0, total = 0;
  for (size_t from = 0; from < terms.size(); from += inARow) {
    double block = 0;
    for (size_t k = from; k < std::min(terms.size(), from + inARow); ++k)
      block += terms[k], expected += Rounding(terms[k]) + Rounding(block);
    total += block;
    if (from > 0) expected += Rounding(total);
  }
  return expected;
}

double ExpectedOfUnit(const std::vector<double>& terms) {
  constexpr size_t kGroup = 32;
  double expected = 0, total = 0;
  for (size_t from = 0; from < terms.size(); from += kGroup) {
    double rows[2] = {};
    for (size_t k = from; k < std::min(terms.size(), from + kGroup); ++k) {
      double& row = rows[(k - from) / (kGroup / 2)];
      row += terms[k];
      expected += Rounding(row) + 2 * std::pow(terms[k] * 0x1p-26, 2) / 9;
    }
    expected += Rounding(rows[0] + rows[1]) + 5 * Rounding(total);
    total += rows[0] + rows[1];
    expected += Rounding(total);
  }
  return expected;
}

struct Product {
  int inputs;
  std::vector<float> x, weight;

  // Sizes of numbers are within a factor of `sizes` of each other, as a rule.
  Product(int inputs, float sizes, int seed) : inputs(inputs), x(kRows * inputs), weight(kOutputs * inputs) {
    std::mt19937 source(seed);
    std::normal_distribution<float> normal;
    for (std::vector<float>* factor : {&x, &weight})
      for (float& number : *factor) number = normal(source) * std::exp(0.5f * normal(source) * std::log(sizes));
  }

  std::vector<double> Terms(int row, int output) const {
    std::vector<double> terms(inputs);
    const float *left = &x[row * inputs], *right = &weight[output * inputs];
    for (int k = 0; k < inputs; ++k) terms[k] = static_cast<double>(left[k]) * right[k];
    return terms;
  }
};

std::vector<float> Multiply(const Products& kernels, const Product& p) {
  const std::vector<float> bias(kOutputs);
  std::vector<float> y(kRows * kOutputs);
  const LinearMap m = {.in = p.inputs,
                       .out = kOutputs,
                       .x = p.x.data(),
                       .weight = p.weight.data(),
                       .bias = bias.data(),
                       .added = nullptr,
                       .activation = LinearMap::kNone,
                       .output = y.data()};
  const int64_t panels = (kOutputs + kernels.nr - 1) / kernels.nr, unit = kernels.mc(m.in);
  const auto room = [](int64_t floats) {
    return static_cast<float*>(std::aligned_alloc(64, (floats * sizeof(float) + 64) / 64 * 64));
  };
  float *packedB = room(panels * kernels.packedPanelSize(m)), *packedA = room(kernels.packedASize(m, unit));
  float* scratch = room(kernels.linearScratch(m, unit));
  kernels.packB(m, 0, panels, packedB);
  for (int64_t from = 0; from < kRows; from += unit) {
    const int64_t to = std::min<int64_t>(kRows, from + unit);
    kernels.packA(m, from, to, packedA);
    kernels.linear(m, packedA, packedB, from, to, 0, panels, scratch);
  }
  for (float* memory : {packedB, packedA, scratch}) std::free(memory);
  return y;
}

// One long sum, which the kernels are to avoid.
std::vector<float> InOneRow(const Product& p) {
  std::vector<float> y(kRows * kOutputs);
  for (int i = 0; i < kRows * kOutputs; ++i) {
    const float *left = &p.x[i / kOutputs * p.inputs], *right = &p.weight[i % kOutputs * p.inputs];
    for (int k = 0; k < p.inputs; ++k) y[i] += left[k] * right[k];
  }
  return y;
}

// A kind of kernels. `ofUnit`: its products are those of the unit for matrices.
struct Kind {
  const char* name;
  bool ofUnit;
  std::function<std::vector<float>(const Product&)> compute;
};

void Measure(const std::vector<Kind>& kinds) {
  const bool anyOfUnit = std::any_of(kinds.begin(), kinds.end(), [](const Kind& kind) { return kind.ofUnit; });
  for (const int inputs : {1, 31, 192, 193, 384, 577, 1001, 1536, 2048, 3072})
    for (const float sizes : {1.0f, 100.0f}) {
      // Each error relative to the sum of sizes, so that all outputs count alike.
      std::vector<double> measured(kinds.size());
      double ofBlocks = 0, ofUnit = 0;
      for (int seed = 0; seed < kSeeds; ++seed) {
        const Product product(inputs, sizes, 1000 * inputs + seed);
        std::vector<std::vector<float>> results;
        for (const Kind& kind : kinds) results.push_back(kind.compute(product));
        for (int i = 0; i < kRows * kOutputs; ++i) {
          const std::vector<double> terms = product.Terms(i / kOutputs, i % kOutputs);
          double sum = 0, size = 0;
          for (const double term : terms) sum += term, size += std::abs(term);
          for (size_t k = 0; k < kinds.size(); ++k) measured[k] += std::pow((results[k][i] - sum) / size, 2);
          ofBlocks += ExpectedOfBlocks(terms, kInARow) / (size * size);
          if (anyOfUnit) ofUnit += ExpectedOfUnit(terms) / (size * size);
        }
      }
      const double count = kSeeds * kRows * kOutputs;
      for (size_t k = 0; k < kinds.size(); ++k)
        std::printf("{\"kernels\": \"%s\", \"inputs\": %d, \"sizes\": %g, \"error\": %.3g, \"ofExpected\": %.4g}\n", kinds[k].name,
                    inputs, sizes, std::sqrt(measured[k] / count),
                    std::sqrt(measured[k] / (kinds[k].ofUnit ? ofUnit : ofBlocks)));
    }
}

// The largest error of products in bfloat16, relative to the sum of sizes, against factors that were rounded one by one.
void MeasureHalf(const CpuKernels& kernels) {
  const auto rounded = [](float number) {
    const double unit = std::ldexp(1.0, std::ilogb(number) - 7);
    return std::nearbyint(number / unit) * unit;
  };
  for (const int inputs : {1, 31, 33, 384, 577, 2048}) {
    const Product product(inputs, 100.0f, inputs);
    const std::vector<float> y = Multiply(kernels.bfloat16, product);
    double worst = 0;
    for (int i = 0; i < kRows * kOutputs; ++i) {
      double sum = 0, size = 0;
      for (int k = 0; k < inputs; ++k) {
        const double term = rounded(product.x[i / kOutputs * inputs + k]) * rounded(product.weight[i % kOutputs * inputs + k]);
        sum += term, size += std::abs(term);
      }
      const double error = std::abs(y[i] - sum) / size;
      worst = error <= worst ? worst : error;  // NaN is the worst
    }
    std::printf("{\"kernels\": \"%s\", \"precision\": \"bfloat16\", \"inputs\": %d, \"error\": %.3g}\n", kernels.name, inputs, worst);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count == 2 && std::strcmp(words[1], "name") == 0) {
    std::puts(Kernels().name);
    return 0;
  }
  const auto of = [](const CpuKernels& kernels, bool ofUnit = false) {
    return Kind{kernels.name, ofUnit, [&kernels](const Product& product) { return Multiply(kernels.float32, product); }};
  };
  std::vector<Kind> kinds = {{"in one row", false, InOneRow}, of(portable::kKernels)};
  MeasureHalf(portable::kKernels);
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) kinds.push_back(of(avx2::kKernels));
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl")) {
    kinds.push_back(of(avx512::kKernels));
#if defined(__linux__)
    kinds.push_back(of(amx::kKernels, true));
    MeasureHalf(amx::kKernels);
#endif
  }
#endif
  Measure(kinds);
}
