// The instructions of AMX in plain C++, as Intel describes them, so that kernels written for it run on any processor with AVX-512.
// To be included before native/kernels.cc.
#pragma once

#if defined(__x86_64__) && defined(__linux__)
#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>

namespace emulated {

alignas(64) inline float tiles[8][16][16];

inline void Load(int tile, const void* from, int64_t stride) {
  for (int r = 0; r < 16; ++r) std::memcpy(tiles[tile][r], static_cast<const char*>(from) + r * stride, 64);
}

inline void Store(int tile, void* to, int64_t stride) {
  for (int r = 0; r < 16; ++r) std::memcpy(static_cast<char*>(to) + r * stride, tiles[tile][r], 64);
}

inline float Number(uint32_t bits) {
  float number;
  std::memcpy(&number, &bits, sizeof number);
  return number;
}

// The first numbers of 16 pairs are summed in a row, the second ones likewise; both sums are added to what is there.
inline void Multiply(int sums, int left, int right) {
  for (int m = 0; m < 16; ++m)
    for (int n = 0; n < 16; ++n) {
      float first = 0.0f, second = 0.0f;
      for (int k = 0; k < 16; ++k) {
        uint32_t a, b;
        std::memcpy(&a, &tiles[left][m][k], sizeof a);
        std::memcpy(&b, &tiles[right][k][n], sizeof b);
        first = std::fma(Number(a << 16), Number(b << 16), first);
        second = std::fma(Number(a & 0xffff0000), Number(b & 0xffff0000), second);
      }
      tiles[sums][m][n] += first + second;
    }
}

}  // namespace emulated

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#define _tile_loadconfig(setting) static_cast<void>(setting)
#define _tile_release() static_cast<void>(0)
#define _tile_zero(tile) std::memset(emulated::tiles[tile], 0, sizeof emulated::tiles[tile])
#define _tile_loadd(tile, from, stride) emulated::Load(tile, from, stride)
#define _tile_stored(tile, to, stride) emulated::Store(tile, to, stride)
#define _tile_dpbf16ps(sums, left, right) emulated::Multiply(sums, left, right)
#endif
