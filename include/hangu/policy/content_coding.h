// Which coding a response may be compressed with: what the client takes (Accept-Encoding, RFC 9110
// §12.5.3) and what is worth it (media types). Pure functions over texts; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/actions.h"
#include "hangu/http/header_block.h"

namespace hangu::policy {

/// "gzip", "br", "zstd".
std::string_view to_string(config::ContentCoding coding) noexcept;

/// The one of `codings` that the client likes best, of equals the first; nullopt when it takes none
/// of them or likes the bare response better.
std::optional<config::ContentCoding> negotiate_coding(
    const http::HeaderBlock& request, std::span<const config::ContentCoding> codings) noexcept;

/// A list of media types such as "text/html", "text/*" and "*+json".
class MediaTypes {
 public:
  /// In lower case.
  explicit MediaTypes(const std::vector<std::string>& types);

  /// `content_type`: with its parameters.
  bool contains(std::string_view content_type) const noexcept;

 private:
  std::vector<std::string> exact_;
  std::vector<std::string> before_;  // "text/"
  std::vector<std::string> after_;   // "+json"
  bool all_ = false;
};

}  // namespace hangu::policy
