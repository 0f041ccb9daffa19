// Runs the kernels of linear maps, MLPs and attention (native/kernels.h) on random sizes, with no more memory than they ask for,
// and compares with sums in double precision, for products in bfloat16 of numbers that were rounded to it one by one. Meant to be compiled with the address sanitizer, which does not see what AMX reads
// and writes: the ends of the scratch are checked by hand. Prints a line of JSON.

#include "../../native/kernels.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

using namespace sonoground;

namespace {

bool half = false;
const Products& Chosen() { return half ? Kernels().bfloat16 : Kernels().float32; }

// What a factor is rounded to before it is multiplied: to 8 significant bits, ties to even.
double Factor(float number) {
  if (!half || number == 0) return number;
  const double unit = std::ldexp(1.0, std::ilogb(number) - 7);
  return std::nearbyint(number / unit) * unit;
}

// Once for all sums that they are part of: rounding one by one, with the sanitizers, takes far longer than the sums.
std::vector<double> Factors(const std::vector<float>& numbers, float scale = 1) {
  std::vector<double> factors(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) factors[i] = Factor(scale * numbers[i]);
  return factors;
}

std::mt19937 source(1);
int Below(int n) { return static_cast<int>(source() % n); }

std::vector<float> Numbers(int64_t count) {
  std::uniform_real_distribution<float> between(-1.0f, 1.0f);
  std::vector<float> numbers(count);
  for (float& number : numbers) number = between(source);
  return numbers;
}

constexpr float kUntouched = 12345.0f;

// Scratch that ends the program when something was written beyond its end.
class Scratch {
 public:
  explicit Scratch(int64_t count) : count_(count), size_((count + 15) / 16 * 16 + 64) {
    floats_ = static_cast<float*>(std::aligned_alloc(64, size_ * sizeof(float)));
    std::fill(floats_, floats_ + size_, kUntouched);
  }
  Scratch(const Scratch&) = delete;
  ~Scratch() {
    if (std::any_of(floats_ + count_, floats_ + size_, [](float x) { return x != kUntouched; })) {
      std::fprintf(stderr, "written beyond the end of a scratch of %ld floats\n", static_cast<long>(count_));
      std::exit(1);
    }
    std::free(floats_);
  }
  float* get() { return floats_; }

 private:
  int64_t count_, size_;
  float* floats_;
};

constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();

// The largest error of one linear map, relative to the sum of the sizes of what is added up.
double LinearError(int round) {
  const Products& kernels = Chosen();
  const int rows = round % 17 == 0 ? 250 + Below(300) : 1 + Below(150), out = 1 + Below(100);
  const int in = round % 23 == 0 ? 500 + Below(600) : Below(140);
  const std::vector<float> x = Numbers(rows * in), weight = Numbers(out * in), bias = Numbers(out), added = Numbers(rows * out);
  std::vector<float> y(rows * out, kNothing);
  LinearMap m = {.in = in,
                 .out = out,
                 .x = x.data(),
                 .weight = weight.data(),
                 .bias = bias.data(),
                 .added = nullptr,
                 .activation = LinearMap::kNone,
                 .output = y.data()};
  if (round % 2) m.added = added.data();
  if (round % 3 == 1) m.activation = LinearMap::kRelu;
  const int64_t panels = (out + kernels.nr - 1) / kernels.nr, unit = kernels.mc(m.in);
  Scratch packedB(panels * kernels.packedPanelSize(m)), packedA(kernels.packedASize(m, unit));
  Scratch scratch(kernels.linearScratch(m, unit));
  kernels.packB(m, 0, panels, packedB.get());
  for (int64_t from = 0; from < rows; from += unit) {
    const int64_t to = std::min<int64_t>(rows, from + unit);
    kernels.packA(m, from, to, packedA.get());
    kernels.linear(m, packedA.get(), packedB.get(), from, to, 0, panels, scratch.get());
  }
  const std::vector<double> xFactors = Factors(x), weightFactors = Factors(weight);
  double worst = 0;
  for (int r = 0; r < rows; ++r)
    for (int o = 0; o < out; ++o) {
      double sum = bias[o], size = std::abs(bias[o]);
      const double *ofRow = xFactors.data() + r * in, *ofOutput = weightFactors.data() + o * in;
      for (int k = 0; k < in; ++k) {
        const double product = ofRow[k] * ofOutput[k];
        sum += product, size += std::abs(product);
      }
      if (m.activation == LinearMap::kRelu) sum = std::max(sum, 0.0);
      if (m.added != nullptr) sum += added[r * out + o], size += std::abs(added[r * out + o]);
      const double error = std::abs(sum - y[r * out + o]) / size;
      worst = error <= worst ? worst : error;  // NaN is the worst
    }
  return worst;
}

// How many results of an MLP differ from those of one linear map after the other.
int MlpDifferences() {
  const Products& kernels = Chosen();
  const int rows = 1 + Below(150), in = 1 + Below(100), hidden = 1 + Below(600), out = 1 + Below(100);
  const std::vector<float> x = Numbers(rows * in), first = Numbers(hidden * in), firstBias = Numbers(hidden);
  const std::vector<float> second = Numbers(out * hidden), secondBias = Numbers(out), added = Numbers(rows * out);
  std::vector<float> between(rows * hidden), parts(rows * out), whole(rows * out, kNothing);
  LinearMap maps[] = {{.in = in,
                       .out = hidden,
                       .x = x.data(),
                       .weight = first.data(),
                       .bias = firstBias.data(),
                       .added = nullptr,
                       .activation = LinearMap::kGelu,
                       .output = between.data()},
                      {.in = hidden,
                       .out = out,
                       .x = between.data(),
                       .weight = second.data(),
                       .bias = secondBias.data(),
                       .added = added.data(),
                       .activation = LinearMap::kNone,
                       .output = parts.data()}};
  const auto sizeOf = [&](const LinearMap& m) { return (m.out + kernels.nr - 1) / kernels.nr * kernels.packedPanelSize(m); };
  Scratch packed[] = {Scratch(sizeOf(maps[0])), Scratch(sizeOf(maps[1]))};
  for (int i = 0; i < 2; ++i) {
    const LinearMap& m = maps[i];
    const int64_t panels = (m.out + kernels.nr - 1) / kernels.nr;
    Scratch packedA(kernels.packedASize(m, rows)), scratch(kernels.linearScratch(m, rows));
    kernels.packB(m, 0, panels, packed[i].get());
    kernels.packA(m, 0, rows, packedA.get());
    kernels.linear(m, packedA.get(), packed[i].get(), 0, rows, 0, panels, scratch.get());
  }
  maps[1].x = nullptr, maps[1].output = whole.data();
  const int unit = 96;
  Scratch scratch(kernels.mlpScratch(maps[0], maps[1], unit));
  for (int from = 0; from < rows; from += unit)
    kernels.mlp(maps[0], maps[1], packed[0].get(), packed[1].get(), from, std::min(rows, from + unit), scratch.get());
  int differences = 0;
  for (int i = 0; i < rows * out; ++i) differences += whole[i] != parts[i];
  return differences;
}

// The largest error of attention; its values are at most 1.
double AttentionError(int round) {
  const Products& kernels = Chosen();
  Attention a = {};
  a.groups = 1 + Below(3), a.heads = 1 + Below(3), a.depth = 1 + Below(70);
  a.valueDepth = round % 4 == 0 ? 1 + Below(70) : a.depth;  // padding is for values as wide as keys
  a.queries = round % 13 == 0 ? 120 + Below(400) : 1 + Below(70);
  a.keys = round % 11 == 0 ? 250 + Below(600) : 1 + Below(90);
  const int64_t width = a.heads * a.depth, wide = a.heads * a.valueDepth, stride = std::max(width, wide) + Below(5);
  const int64_t queries = a.groups * a.queries, keys = a.groups * a.keys;
  const std::vector<float> q = Numbers(queries * stride), k = Numbers(keys * stride), v = Numbers(keys * stride);
  const std::vector<float> bias = Numbers(a.heads * a.queries * a.keys), paddedKey = Numbers(width), paddedValue = Numbers(width);
  std::vector<float> output(queries * wide, kNothing);
  std::vector<int32_t> rows(keys);
  for (int32_t& row : rows) row = Below(7) == 0 ? -1 : Below(static_cast<int>(keys));
  a.query = q.data(), a.key = k.data(), a.value = v.data(), a.queryStride = a.keyStride = a.valueStride = stride;
  a.scale = 0.7f, a.output = output.data(), a.biasHeads = a.heads;
  if (round % 2) a.bias = bias.data();
  if (round % 3) a.keyRows = rows.data();
  if (round % 4) a.paddedKey = paddedKey.data(), a.paddedValue = paddedValue.data();

  Scratch scratch(kernels.attentionScratch(a));
  constexpr int64_t kUnit = 192;
  for (int64_t group = 0; group < a.groups; ++group)
    for (int64_t head = 0; head < a.heads; ++head)
      for (int64_t from = 0; from < a.queries; from += kUnit)
        kernels.attend(a, group, head, from, std::min(a.queries, from + kUnit), scratch.get());

  double worst = 0;
  const std::vector<double> queryFactors = Factors(q, a.scale), keyFactors = Factors(k), valueFactors = Factors(v);
  const std::vector<double> paddedKeyFactors = Factors(paddedKey), paddedValueFactors = Factors(paddedValue);
  std::vector<double> weights(a.keys), mixed(a.valueDepth);
  const std::vector<double> zeros(std::max(a.depth, a.valueDepth));
  for (int64_t group = 0; group < a.groups; ++group)
    for (int64_t head = 0; head < a.heads; ++head) {
      const auto at = [&](const std::vector<double>& all, bool padded, const std::vector<double>& padding, int64_t depth, int64_t key) {
        const int64_t row = a.keyRows == nullptr ? group * a.keys + key : a.keyRows[group * a.keys + key];
        return row >= 0 ? all.data() + row * stride + head * depth : padded ? padding.data() + head * depth : zeros.data();
      };
      for (int64_t i = 0; i < a.queries; ++i) {
        const double* query = queryFactors.data() + (group * a.queries + i) * stride + head * a.depth;
        double total = 0;
        for (int64_t j = 0; j < a.keys; ++j) {
          const double* key = at(keyFactors, a.paddedKey != nullptr, paddedKeyFactors, a.depth, j);
          double score = a.bias == nullptr ? 0.0f : a.bias[(head * a.queries + i) * a.keys + j];
          for (int64_t c = 0; c < a.depth; ++c) score += query[c] * key[c];
          total += weights[j] = std::exp(score);
        }
        std::fill(mixed.begin(), mixed.end(), 0.0);
        for (int64_t j = 0; j < a.keys; ++j) {
          const double* value = at(valueFactors, a.paddedValue != nullptr, paddedValueFactors, a.valueDepth, j);
          for (int64_t c = 0; c < a.valueDepth; ++c) mixed[c] += weights[j] / total * value[c];
        }
        for (int64_t c = 0; c < a.valueDepth; ++c) {
          const double error = std::abs(mixed[c] - output[(group * a.queries + i) * wide + head * a.valueDepth + c]);
          worst = error <= worst ? worst : error;
        }
      }
    }
  return worst;
}

// The largest error of attention to maps; its values are at most 1. Cosines and sines need not be those of angles.
double MapError() {
  const MapProducts* kernels = Kernels().maps;
  if (kernels == nullptr) return 0;
  MapAttention a = {};
  a.groups = 1 + Below(3), a.queries = 1 + Below(70), a.height = 1 + Below(6), a.width = 1 + Below(6);
  a.maps = 1 + Below(30), a.unplaced = Below(2) * Below(300), a.depth = 4 * (1 + Below(12)), a.channels = 1 + Below(20);
  a.valueDepth = 1 + Below(40), a.scale = 0.3f;
  const int64_t cells = a.height * a.width, keys = a.maps * cells + a.unplaced, half = a.depth / 2;
  const std::vector<float> query = Numbers(a.groups * a.queries * a.depth), tokens = Numbers(a.groups * keys * a.channels);
  const std::vector<float> values = Numbers(a.groups * keys * a.valueDepth), weight = Numbers(a.depth * a.channels);
  const std::vector<float> bias = Numbers(a.depth), byColumn = Numbers(2 * a.width * half), byRow = Numbers(2 * a.height * half);
  std::vector<float> cos(cells * half), sin(cells * half), output(a.groups * a.queries * a.valueDepth, kNothing);
  for (int64_t cell = 0; cell < cells; ++cell)
    for (int64_t p = 0; p < half; ++p) {
      const float* from = p < half / 2 ? &byColumn[2 * (cell % a.width * half + p)] : &byRow[2 * (cell / a.width * half + p)];
      cos[cell * half + p] = from[0], sin[cell * half + p] = from[1];
    }
  a.query = query.data(), a.tokens = tokens.data(), a.values = values.data(), a.weight = weight.data(), a.bias = bias.data();
  a.cos = cos.data(), a.sin = sin.data(), a.output = output.data();
  Scratch packed(kernels->packedSize(a)), scratch(kernels->scratch(a));
  kernels->pack(a, 0, kernels->units(a), packed.get());
  for (int64_t panel = 0; panel < kernels->panels(a); ++panel) kernels->attend(a, packed.get(), panel, scratch.get());

  double worst = 0;
  std::vector<double> turnedKeys(keys * a.depth), key(a.depth), weights(keys);
  for (int64_t group = 0; group < a.groups; ++group) {
    for (int64_t j = 0; j < keys; ++j) {
      const float* token = &tokens[(group * keys + j) * a.channels];
      for (int64_t d = 0; d < a.depth; ++d) {
        key[d] = bias[d];
        for (int64_t c = 0; c < a.channels; ++c) key[d] += static_cast<double>(weight[d * a.channels + c]) * token[c];
      }
      const bool turned = j < a.maps * cells;
      for (int64_t p = 0; p < half; ++p) {
        const double c = turned ? cos[j % cells * half + p] : 1, s = turned ? sin[j % cells * half + p] : 0;
        turnedKeys[j * a.depth + 2 * p] = key[2 * p] * c - key[2 * p + 1] * s;
        turnedKeys[j * a.depth + 2 * p + 1] = key[2 * p] * s + key[2 * p + 1] * c;
      }
    }
    for (int64_t i = 0; i < a.queries; ++i) {
      const float* q = query.data() + (group * a.queries + i) * a.depth;
      double total = 0;
      for (int64_t j = 0; j < keys; ++j) {
        const double* turnedKey = turnedKeys.data() + j * a.depth;
        double score = 0;
        for (int64_t d = 0; d < a.depth; ++d) score += q[d] * turnedKey[d];
        total += weights[j] = std::exp(a.scale * score);
      }
      for (int64_t v = 0; v < a.valueDepth; ++v) {
        double mixed = 0;
        for (int64_t j = 0; j < keys; ++j) mixed += weights[j] / total * values[(group * keys + j) * a.valueDepth + v];
        const double error = std::abs(mixed - output[(group * a.queries + i) * a.valueDepth + v]);
        worst = error <= worst ? worst : error;
      }
    }
  }
  return worst;
}

// How many results of a row among others differ from those of the row alone.
int RowDifferences() {
  const Products& kernels = Chosen();
  const int rows = 2 + Below(150), out = 1 + Below(100), in = 1 + Below(900), row = Below(rows);
  const std::vector<float> x = Numbers(rows * in), weight = Numbers(out * in), bias = Numbers(out);
  std::vector<float> all(rows * out, kNothing), one(out, kNothing);
  LinearMap m = {.in = in,
                 .out = out,
                 .x = x.data(),
                 .weight = weight.data(),
                 .bias = bias.data(),
                 .added = nullptr,
                 .activation = LinearMap::kNone,
                 .output = all.data()};
  const int64_t panels = (out + kernels.nr - 1) / kernels.nr;
  Scratch packedB(panels * kernels.packedPanelSize(m)), packedA(kernels.packedASize(m, rows));
  Scratch scratch(kernels.linearScratch(m, rows));
  kernels.packB(m, 0, panels, packedB.get());
  kernels.packA(m, 0, rows, packedA.get());
  kernels.linear(m, packedA.get(), packedB.get(), 0, rows, 0, panels, scratch.get());
  m.x += row * in, m.output = one.data();
  kernels.packA(m, 0, 1, packedA.get());
  kernels.linear(m, packedA.get(), packedB.get(), 0, 1, 0, panels, scratch.get());
  int differences = 0;
  for (int o = 0; o < out; ++o) differences += all[row * out + o] != one[o];
  return differences;
}

// Infinity, NaN and numbers halfway between two of bfloat16, as the one factor of a product. Returns the first wrong result.
double RoundingError() {
  const Products& kernels = Chosen();
  const float infinity = std::numeric_limits<float>::infinity();
  const float numbers[] = {1 + 0x1p-8f, 1 + 0x3p-8f, -1 - 0x1p-8f, 1 + 0x1p-8f + 0x1p-20f, 0x1.fep127f, 0x1p-126f, infinity,
                           -infinity,   kNothing,    0.0f};
  for (const float number : numbers)
    for (const bool inWeight : {false, true}) {
      const float one = 1, bias = 0;
      float y = kNothing;
      const LinearMap m = {.in = 1,
                           .out = 1,
                           .x = inWeight ? &one : &number,
                           .weight = inWeight ? &number : &one,
                           .bias = &bias,
                           .added = nullptr,
                           .activation = LinearMap::kNone,
                           .output = &y};
      Scratch packedB(kernels.packedPanelSize(m)), packedA(kernels.packedASize(m, 1)), scratch(kernels.linearScratch(m, 1));
      kernels.packB(m, 0, 1, packedB.get());
      kernels.packA(m, 0, 1, packedA.get());
      kernels.linear(m, packedA.get(), packedB.get(), 0, 1, 0, 1, scratch.get());
      const float expected = std::isfinite(number) ? static_cast<float>(Factor(number)) : number;
      if (y != expected && !(std::isnan(y) && std::isnan(expected))) return number;
    }
  return 0;
}

}  // namespace

int main() {
  for (const bool precision : {false, true}) {
    half = precision;
    double linear = 0, attention = 0, maps = 0;
    int mlp = 0, rows = 0;
    for (int round = 0; round < 70; ++round) {
      linear = std::max(LinearError(round), linear);
      attention = std::max(AttentionError(round), attention);
      maps = std::max(MapError(), maps);
      mlp += MlpDifferences();
      rows += RowDifferences();
    }
    std::printf("{\"kernels\": \"%s\", \"precision\": \"%s\", \"linear\": %.3g, \"attention\": %.3g, \"maps\": %.3g, ", Kernels().name,
                half ? "bfloat16" : "float32", linear, attention, maps);
    std::printf("\"mlp\": %d, \"rows\": %d, ", mlp, rows);
    std::printf("\"rounding\": %g}\n", half ? RoundingError() : 0.0);
  }
}
