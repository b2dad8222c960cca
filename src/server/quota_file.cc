#include "server/quota_file.h"

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace hangu::server {
namespace {

constexpr std::string_view kMagic = "HANGUQ01";

void put(std::string& out, uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) {
    out += static_cast<char>(number >> shift);
  }
}

void put(std::string& out, std::string_view text) {
  put(out, text.size());
  out += text;
}

/// Reads what put() wrote; once it has failed it goes on failing.
class Input {
 public:
  explicit Input(std::string_view bytes)
      : bytes_(bytes) {}

  uint64_t number() {
    const std::string_view raw = take(8);
    uint64_t number = 0;
    for (size_t i = raw.size(); i > 0; --i) {
      number = number << 8 | static_cast<unsigned char>(raw[i - 1]);
    }
    return number;
  }

  std::string text() { return std::string(take(number())); }

  std::string_view take(uint64_t size) {
    if (size > bytes_.size()) {
      failed_ = true;
      bytes_ = {};
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  size_t left() const { return bytes_.size(); }

  bool failed() const { return failed_; }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

}  // namespace

std::string encode_quotas(const std::vector<SavedQuota>& quotas) {
  std::string out(kMagic);
  put(out, quotas.size());
  for (const SavedQuota& quota : quotas) {
    put(out, std::string_view(quota.name));
    put(out, std::string_view(quota.identity));
    put(out, quota.seed);
    put(out, uint64_t{quota.window});
    put(out, quota.used.size());
    for (const auto& [key, used] : quota.used) {
      put(out, key);
      put(out, used);
    }
  }
  put(out, uint64_t{XXH3_64bits(out.data(), out.size())});
  return out;
}

std::optional<std::vector<SavedQuota>> decode_quotas(std::string_view bytes) {
  if (bytes.size() < kMagic.size() + 8 || !bytes.starts_with(kMagic)) {
    return std::nullopt;
  }
  const std::string_view content = bytes.substr(0, bytes.size() - 8);
  if (Input(bytes.substr(content.size())).number() != XXH3_64bits(content.data(), content.size())) {
    return std::nullopt;
  }
  Input input(content.substr(kMagic.size()));
  std::vector<SavedQuota> quotas;
  for (uint64_t count = input.number(); count > 0 && !input.failed(); --count) {
    SavedQuota& quota = quotas.emplace_back();
    quota.name = input.text();
    quota.identity = input.text();
    quota.seed = input.number();
    quota.window = static_cast<uint32_t>(input.number());
    for (uint64_t keys = input.number(); keys > 0 && !input.failed(); --keys) {
      const uint64_t key = input.number();
      quota.used.emplace_back(key, input.number());
    }
  }
  if (input.failed() || input.left() != 0) {
    return std::nullopt;
  }
  return quotas;
}

}  // namespace hangu::server
