#include "hangu/fleet/cache.h"

#include <cerrno>
#include <system_error>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/base/file_bytes.h"
#include "hangu/base/replace_file.h"
#include "hangu/identity/sealer.h"
#include "hangu/tls/digest.h"

namespace hangu::fleet {
namespace {

namespace json = boost::json;

constexpr std::string_view kMagic = "hangu config cache 1 ";
constexpr std::string_view kPlain = "plain ";
constexpr std::string_view kSealed = "sealed ";
constexpr std::string_view kPurpose = "hangu config cache";

std::string to_json(const std::vector<StoredDocument>& documents) {
  json::object all;
  for (const StoredDocument& each : documents) {
    if (each.text) {
      all[each.key] = *each.text;
    }
  }
  return json::serialize(all);
}

Result<std::vector<StoredDocument>, std::string> from_json(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  const json::object* all = error ? nullptr : value.if_object();
  if (all == nullptr) {
    return Failure<std::string>{"it holds no documents"};
  }
  std::vector<StoredDocument> documents;
  for (const auto& [key, document] : *all) {
    if (const json::string* found = document.if_string()) {
      documents.push_back({std::string(key), std::string(found->data(), found->size())});
    }
  }
  return documents;
}

}  // namespace

Result<void, std::string> write_cache(const std::string& path,
                                      const std::vector<StoredDocument>& documents,
                                      const std::string& secret) {
  std::string body = to_json(documents);
  std::string_view kind = kPlain;
  if (!secret.empty()) {
    const std::array<std::string, 1> secrets = {secret};
    body = identity::Sealer(secrets, kPurpose).seal(body);
    kind = kSealed;
    if (body.empty()) {
      return Failure<std::string>{path + ": cannot be encrypted"};
    }
  }
  const std::string text = fmt::format("{}{}{}\n{}", kMagic, kind, tls::sha256_hex(body), body);
  if (const std::error_code error = replace_file(path, text, 0600)) {
    return Failure<std::string>{fmt::format("{}: cannot be written: {}", path, error.message())};
  }
  return {};
}

Result<std::vector<StoredDocument>, std::string> read_cache(const std::string& path,
                                                            const std::string& secret) {
  const auto file = read_whole_file(path);
  if (!file) {
    if (file.error() == std::errc::no_such_file_or_directory) {
      return std::vector<StoredDocument>{};
    }
    return Failure<std::string>{
        fmt::format("{}: cannot be read: {}", path, file.error().message())};
  }
  const std::string& text = *file;
  const size_t end = text.find('\n');
  std::string_view head = std::string_view(text).substr(0, end);
  const bool known = end != std::string::npos && head.starts_with(kMagic);
  head.remove_prefix(known ? kMagic.size() : 0);
  const bool sealed = head.starts_with(kSealed);
  if (!known || (!sealed && !head.starts_with(kPlain))) {
    return Failure<std::string>{path + ": is no cache of documents"};
  }
  head.remove_prefix(sealed ? kSealed.size() : kPlain.size());
  std::string body = text.substr(end + 1);
  if (tls::sha256_hex(body) != head) {
    return Failure<std::string>{path + ": is damaged"};
  }
  if (sealed != !secret.empty()) {
    return Failure<std::string>{path + (sealed
                                            ? ": is encrypted, and there is no `cache_key`"
                                            : ": is not encrypted, though there is `cache_key`")};
  }
  if (sealed) {
    const std::array<std::string, 1> secrets = {secret};
    const auto opened = identity::Sealer(secrets, kPurpose).open(body);
    if (!opened) {
      return Failure<std::string>{path + ": is encrypted with another key"};
    }
    body = *opened;
  }
  auto documents = from_json(body);
  if (!documents) {
    return Failure<std::string>{path + ": " + documents.error()};
  }
  return documents;
}

}  // namespace hangu::fleet
