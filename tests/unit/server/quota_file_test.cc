#include "server/quota_file.h"

#include <gtest/gtest.h>

namespace hangu::server {
namespace {

std::vector<SavedQuota> sample() {
  return {{.name = "per-key",
           .identity = "0 480",
           .seed = 0xFEDCBA9876543210,
           .window = 20783,
           .used = {{1, 2}, {UINT64_MAX, 1'000'000'000'000}}},
          {.name = "", .identity = std::string("\0x", 2), .seed = 0, .window = 0, .used = {}}};
}

TEST(QuotaFile, ReadsWhatItWrote) {
  EXPECT_EQ(decode_quotas(encode_quotas(sample())), sample());
  EXPECT_EQ(decode_quotas(encode_quotas({})), std::vector<SavedQuota>{});
}

TEST(QuotaFile, TakesNothingThatWasCutOffOrChanged) {
  const std::string whole = encode_quotas(sample());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(decode_quotas(std::string_view(whole).substr(0, size)), std::nullopt) << size;
  }
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    EXPECT_EQ(decode_quotas(changed), std::nullopt) << at;
  }
  EXPECT_EQ(decode_quotas(whole + "x"), std::nullopt);
}

}  // namespace
}  // namespace hangu::server
