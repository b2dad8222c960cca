// Digest: SHA-256 or SM3 of a key as configs store them ("sha256:9f86…"), and where to find the
// consumer it belongs to. The digests of random keys give nothing away, so looking one up need not
// be constant in time. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hangu::identity {

enum class DigestKind : uint8_t { kSha256, kSm3 };

using Digest = std::array<uint8_t, 32>;

struct StoredDigest {
  DigestKind kind = DigestKind::kSha256;
  Digest digest{};
};

/// nullopt: not "sha256:" or "sm3:" and 64 hex digits.
std::optional<StoredDigest> parse_digest(std::string_view text) noexcept;

std::string to_string(const StoredDigest& digest);

/// False: the library does not offer it (a FIPS provider has no SM3).
bool compute_digest(DigestKind kind, std::string_view text, Digest& out) noexcept;

/// SHA-256 of all of them, each with its length, so that no two lists are alike. The first is a
/// secret of the process where somebody could want two that are.
bool compute_digest(std::span<const std::string_view> parts, Digest& out) noexcept;

struct DigestHash {
  size_t operator()(const Digest& digest) const noexcept {
    size_t hash = 0;
    for (size_t i = 0; i < sizeof hash; ++i) {
      hash = hash << 8 | digest[i];
    }
    return hash;
  }
};

/// 256 random bits in base64url behind `prefix`. Empty: no randomness.
std::string make_secret(std::string_view prefix);

/// "hk_<id>_…"
std::string make_api_key(std::string_view id);

}  // namespace hangu::identity
