#include "server/quota_file.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "hangu/base/packed_fields.h"

namespace hangu::server {
namespace {

constexpr std::string_view kMagic = "HANGUQ01";

}  // namespace

std::string encode_quotas(const std::vector<SavedQuota>& quotas) {
  std::string out(kMagic);
  put_number(out, quotas.size());
  for (const SavedQuota& quota : quotas) {
    put_text(out, quota.name);
    put_text(out, quota.identity);
    put_number(out, quota.seed);
    put_number(out, uint64_t{quota.window});
    put_number(out, quota.used.size());
    for (const auto& [key, used] : quota.used) {
      put_number(out, key);
      put_number(out, used);
    }
  }
  put_number(out, uint64_t{XXH3_64bits(out.data(), out.size())});
  return out;
}

std::optional<std::vector<SavedQuota>> decode_quotas(std::string_view bytes) {
  if (bytes.size() < kMagic.size() + 8 || !bytes.starts_with(kMagic)) {
    return std::nullopt;
  }
  const std::string_view content = bytes.substr(0, bytes.size() - 8);
  if (PackedFields(bytes.substr(content.size())).number() !=
      XXH3_64bits(content.data(), content.size())) {
    return std::nullopt;
  }
  PackedFields input(content.substr(kMagic.size()));
  std::vector<SavedQuota> quotas;
  for (uint64_t count = input.number(); count > 0 && input.good(); --count) {
    SavedQuota& quota = quotas.emplace_back();
    quota.name = input.text();
    quota.identity = input.text();
    quota.seed = input.number();
    quota.window = static_cast<uint32_t>(input.number());
    for (uint64_t keys = input.number(); keys > 0 && input.good(); --keys) {
      const uint64_t key = input.number();
      quota.used.emplace_back(key, input.number());
    }
  }
  if (!input.at_end()) {
    return std::nullopt;
  }
  return quotas;
}

}  // namespace hangu::server
