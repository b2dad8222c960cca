// Message digests. A Digester lives on one thread; functions run on any.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// OpenSSL's, without its headers.
struct evp_md_ctx_st;
struct evp_md_st;

namespace hangu::tls {

using Sha1Digest = std::array<uint8_t, 20>;

/// Not for security: what old protocols ask for.
Sha1Digest sha1(std::string_view bytes) noexcept;

enum class DigestKind : uint8_t { kSha256, kSm3 };

using Digest = std::array<uint8_t, 32>;

/// Digests one text after another without making anything anew.
class Digester {
 public:
  explicit Digester(DigestKind kind);
  ~Digester();

  Digester(const Digester&) = delete;
  Digester& operator=(const Digester&) = delete;

  Digest operator()(std::string_view bytes) noexcept;

 private:
  evp_md_st* algorithm_;
  evp_md_ctx_st* context_;
};

/// SHA-256 as 64 hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

/// The same of what a file holds; empty when it cannot be read. Not for shards.
std::string sha256_of_file(const std::string& path);

}  // namespace hangu::tls
