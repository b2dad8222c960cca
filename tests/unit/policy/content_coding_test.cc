// Which coding a client gets, and what is worth one.
#include "hangu/policy/content_coding.h"

#include <gtest/gtest.h>

#include "hangu/policy/choice.h"

#include "tests/unit/http/memory.h"

namespace hangu::policy {
namespace {

using config::ContentCoding;

constexpr std::array kAll = {ContentCoding::kZstd, ContentCoding::kBrotli, ContentCoding::kGzip};

std::string_view negotiated(std::string_view accept,
                            std::span<const ContentCoding> codings = kAll) {
  http::test::Memory memory;
  http::HeaderBlock headers(memory.arena());
  headers.add(http::HeaderName::kAcceptEncoding, accept);
  const auto coding = negotiate_coding(headers, codings);
  return coding ? to_string(*coding) : "none";
}

TEST(ContentCodingTest, TheClientsWishComesFirstThenOurOrder) {
  const struct {
    std::string_view accept;
    std::string_view expected;
  } cases[] = {
      {"gzip, deflate, br, zstd", "zstd"},
      {"gzip, deflate, br", "br"},
      {"gzip", "gzip"},
      {"x-gzip", "gzip"},
      {"GZIP;q=1.0", "gzip"},
      {"br;q=0.5, gzip", "gzip"},
      {"br;q=0.5, gzip;q=0.5", "br"},
      {"zstd;q=0.001,br;q=0.002", "br"},
      {"*", "zstd"},
      {"zstd;q=0, *", "br"},
      {"*;q=0.3, gzip;q=0.4", "gzip"},
      {"gzip ; q=0.8", "gzip"},
      {"gzip;a=b;q=0.8", "gzip"},
      {"deflate", "none"},
      {"", "none"},
      {"identity", "none"},
      {"gzip;q=0", "none"},
      {"*;q=0", "none"},
      {"gzip;q=0.5, identity", "none"},
      {"gzip;q=0.5, identity;q=0.5", "gzip"},
      {"identity;q=0, gzip;q=0.1", "gzip"},
      {"gzip;q=2", "none"},
      {"gzip;q=-1", "none"},
      {"gzip;q=0.1234", "none"},
      {"gzip;q=1.001", "none"},
      {"gzip;q=x", "none"},
      {"gzip;q=", "none"},
      {",, ;;, gzip", "gzip"},
  };

  for (const auto& each : cases) {
    EXPECT_EQ(negotiated(each.accept), each.expected) << each.accept;
  }
  EXPECT_EQ(negotiated("gzip, br, zstd", std::array{ContentCoding::kGzip, ContentCoding::kBrotli}),
            "gzip");
  EXPECT_EQ(negotiated("zstd", std::array{ContentCoding::kGzip}), "none");
}

TEST(ContentCodingTest, SeveralFieldsAreOneList) {
  http::test::Memory memory;
  http::HeaderBlock headers(memory.arena());
  EXPECT_EQ(negotiate_coding(headers, kAll), std::nullopt);
  headers.add(http::HeaderName::kAcceptEncoding, "gzip;q=0.5");
  headers.add(http::HeaderName::kAcceptEncoding, "br");
  EXPECT_EQ(negotiate_coding(headers, kAll), ContentCoding::kBrotli);
}

TEST(MediaTypesTest, ByNameFamilyAndSuffix) {
  const MediaTypes types({"application/json", "text/*", "*+xml"});
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8", "text/html",
                           "TEXT/plain;x", "image/svg+xml", "application/atom+xml; a=b"}) {
    EXPECT_TRUE(types.contains(type)) << type;
  }
  for (const char* type : {"", "application/jsonp", "application/json+x", "image/png", "textual/x",
                           "+xml", "application/xml"}) {
    EXPECT_FALSE(types.contains(type)) << type;
  }
  EXPECT_TRUE(MediaTypes({"*/*"}).contains("image/png"));
}

TEST(ChoiceTest, APercentageTakesItsShareAndNoMore) {
  uint64_t state = 42;
  const auto next = [&state] {  // SplitMix64
    uint64_t z = (state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  };
  constexpr int kDraws = 1'000'000;
  for (const uint32_t millionths : {0U, 1'000U, 50'000U, 500'000U, config::Percent::kAll}) {
    int taken = 0;
    for (int i = 0; i < kDraws; ++i) {
      taken += is_chosen({millionths}, next()) ? 1 : 0;
    }
    const double p = millionths / 1e6;
    const double deviation = std::sqrt(kDraws * p * (1 - p));
    EXPECT_NEAR(taken, kDraws * p, 5 * deviation) << millionths;
  }
}

}  // namespace
}  // namespace hangu::policy
