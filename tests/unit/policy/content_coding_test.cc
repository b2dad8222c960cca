// Which coding a client gets, and what is worth one.
#include "hangu/policy/content_coding.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

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

// --- at random --------------------------------------------------------------------------------

/// A weight in thousandths as clients may write it.
std::string weight_text(int weight, std::mt19937& random) {
  if (weight == 1000) {
    return std::array{"1", "1.0", "1.000", "1."}[random() % 4];
  }
  std::string text = std::to_string(1000 + weight).replace(0, 1, "0.");
  while (text.ends_with('0') && random() % 2 == 0) {
    text.pop_back();
  }
  return text;
}

TEST(ContentCodingRandomTest, IsTheOneOfMostWeightThenTheFirst) {
  const std::array<std::string, 6> names = {"gzip", "br", "zstd", "identity", "*", "deflate"};
  std::mt19937 random(1);
  std::map<std::string_view, int> seen;
  for (int i = 0; i < 20'000; ++i) {
    std::map<std::string_view, int> weights;
    std::string accept;
    std::vector<std::string> order(names.begin(), names.end());
    std::shuffle(order.begin(), order.end(), random);
    order.resize(random() % (order.size() + 1));
    for (std::string& name : order) {
      const bool plain = random() % 3 == 0;
      const int weight = plain ? 1000 : static_cast<int>(random() % 6) * 200;
      weights[*std::find(names.begin(), names.end(), name)] = weight;
      if (random() % 3 == 0) {
        name[0] = static_cast<char>(std::toupper(name[0]));
      }
      accept += (accept.empty() ? "" : ", ") + name;
      accept += plain ? "" : " ;q=" + weight_text(weight, random);
    }
    std::vector<ContentCoding> ours(kAll.begin(), kAll.end());
    std::shuffle(ours.begin(), ours.end(), random);
    ours.resize(random() % (ours.size() + 1));

    const auto weight_of = [&](std::string_view name) {
      return weights.count(name) != 0 ? weights[name] : weights.count("*") != 0 ? weights["*"] : 0;
    };
    std::string_view expected = "none";
    int most = 0;
    for (const ContentCoding coding : ours) {
      const int weight = weight_of(to_string(coding));
      if (weight > most && (weights.count("identity") == 0 || weight >= weights["identity"])) {
        expected = to_string(coding);
        most = weight;
      }
    }
    ASSERT_EQ(negotiated(accept, ours), expected) << accept;
    ++seen[expected];
  }
  for (const std::string_view each : {"none", "gzip", "br", "zstd"}) {
    EXPECT_GT(seen[each], 1000) << each;
  }
}

}  // namespace
}  // namespace hangu::policy
