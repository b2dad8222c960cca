#include "hangu/plugin/image.h"

#include <span>

#include <fmt/format.h>

#include "hangu/base/file_bytes.h"
#include "hangu/base/hex.h"
#include "hangu/tls/digest.h"
#include "hangu/tls/signature.h"

namespace hangu::plugin {
namespace {

constexpr size_t kSignatureBytes = 64;

Failure<std::string> failure(const std::string& path, std::string_view why) {
  return {fmt::format("{}: {}", path, why)};
}

Result<std::string, std::string> read_file(const std::string& path, size_t bytes_max) {
  Result<std::string, std::error_code> bytes = read_whole_file(path, bytes_max);
  if (bytes) {
    return std::move(*bytes);
  }
  return failure(path, bytes.error() == std::errc::file_too_large
                           ? fmt::format("is larger than {} bytes", bytes_max)
                           : "cannot be read: " + bytes.error().message());
}

/// As hexadecimal digits, whichever way it is written.
std::string signature_digits(std::string text) {
  if (text.size() == kSignatureBytes) {
    return to_hex(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  return text;
}

/// The id of the key whose signature it has.
Result<std::string, std::string> find_signer(const config::Plugin& plugin,
                                             const std::string& bytes) {
  const std::string path = signature_path(plugin);
  auto text = read_file(path, 4 * kSignatureBytes);
  if (!text) {
    return failure(plugin.path, fmt::format("is not signed: {}", text.error()));
  }
  const std::string signature = signature_digits(std::move(*text));
  for (const std::string& key_path : plugin.trusted_keys) {
    const auto key = tls::VerifyingKey::load(key_path);
    if (!key) {
      return Failure<std::string>{key.error()};
    }
    if (key->verify(bytes, signature)) {
      return key->id();
    }
  }
  return failure(plugin.path,
                 fmt::format("{} is no signature of a trusted key for these bytes", path));
}

}  // namespace

std::string signature_path(const config::Plugin& plugin) {
  return plugin.signature.empty() ? plugin.path + ".sig" : plugin.signature;
}

Result<Image, std::string> read_image(const config::Plugin& plugin) {
  auto bytes = read_file(plugin.path, kImageBytesMax);
  if (!bytes) {
    return Failure<std::string>{bytes.error()};
  }
  Image image{.bytes = std::move(*bytes), .sha256 = {}, .signed_by = {}};
  image.sha256 = tls::sha256_hex(image.bytes);
  if (!plugin.sha256.empty() && plugin.sha256 != image.sha256) {
    return failure(plugin.path,
                   fmt::format("its SHA-256 is {}, not the one of the config", image.sha256));
  }
  if (!plugin.trusted_keys.empty()) {
    auto signer = find_signer(plugin, image.bytes);
    if (!signer) {
      return Failure<std::string>{signer.error()};
    }
    image.signed_by = std::move(*signer);
  }
  return image;
}

}  // namespace hangu::plugin
