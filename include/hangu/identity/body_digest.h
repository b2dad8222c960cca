// The digest of a body that a request carries in a field, and computing it piece by piece:
// Content-Digest (RFC 9530) and its forerunner Digest (RFC 3230). SHA-256 and SHA-512. A hasher is
// one thread's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

struct evp_md_ctx_st;

namespace hangu::identity {

enum class BodyDigestKind : uint8_t { kSha256, kSha512 };

struct BodyDigest {
  static constexpr size_t kBytesMax = 64;

  BodyDigestKind kind = BodyDigestKind::kSha256;
  std::array<uint8_t, kBytesMax> bytes{};

  size_t size() const { return kind == BodyDigestKind::kSha512 ? 64 : 32; }
};

/// "sha-256=:…:, sha-512=:…:" → the strongest of them; nullopt: not well-formed, or neither.
std::optional<BodyDigest> parse_content_digest(std::string_view field);

/// "SHA-256=…,SHA-512=…", names in any case.
std::optional<BodyDigest> parse_legacy_digest(std::string_view field);

/// Of that kind, as hexadecimal digits or in base64.
std::optional<BodyDigest> parse_bare_digest(BodyDigestKind kind, std::string_view text);

class BodyHasher {
 public:
  explicit BodyHasher(BodyDigestKind kind);
  ~BodyHasher();

  BodyHasher(const BodyHasher&) = delete;
  BodyHasher& operator=(const BodyHasher&) = delete;

  void add(std::string_view piece) noexcept;

  /// Whether what was added has that digest, in constant time. To be called once.
  bool matches(const BodyDigest& wanted) noexcept;

 private:
  evp_md_ctx_st* context_;
  bool good_;
};

}  // namespace hangu::identity
