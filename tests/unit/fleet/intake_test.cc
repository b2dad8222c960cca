// What of a store's documents a gateway believes: signatures, versions, removals, lost stores.
#include "hangu/fleet/intake.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hangu/fleet/cache.h"

namespace hangu::fleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() / fmt::format("hangu-fleet-{}", ::getpid())) {
    std::filesystem::create_directories(path_);
  }

  ~Folder() { std::filesystem::remove_all(path_); }

  std::string file(const std::string& name, std::string_view text = {}) const {
    const std::string path = (path_ / name).string();
    if (!text.empty()) {
      std::ofstream(path) << text;
    }
    return path;
  }

 private:
  std::filesystem::path path_;
};

std::string write(const config::Document& document) {
  return document.key + (document.text ? "=" + *document.text : " gone");
}

std::vector<std::string> write(const std::vector<config::Document>& documents) {
  std::vector<std::string> out;
  for (const config::Document& each : documents) {
    out.push_back(write(each));
  }
  return out;
}

Envelope envelope(uint64_t sequence, std::string body, bool deleted = false) {
  return {.sequence = sequence,
          .author = "li.wei",
          .time = "2026-11-27T12:00:00Z",
          .deleted = deleted,
          .signatures = {},
          .body = std::move(body)};
}

TEST(Envelope, RoundTrip) {
  const tls::SigningKey key = tls::SigningKey::generate();
  Envelope one = envelope(7, "upstream: users\n");
  sign(one, "/hangu/config/routes/a", key);
  const auto again = read_envelope(to_text(one));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(to_text(*again), to_text(one));
  EXPECT_EQ(again->sequence, 7U);
  EXPECT_EQ(again->author, "li.wei");
  EXPECT_EQ(again->body, "upstream: users\n");
  EXPECT_THAT(again->signatures, SizeIs(1));
}

TEST(Envelope, PlainYamlHasNone) {
  const auto plain = read_envelope("# a comment\nupstream: users\n");
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->sequence, 0U);
  EXPECT_EQ(plain->body, "# a comment\nupstream: users\n");
}

TEST(Envelope, ForeignHeadersAreRefused) {
  for (const char* text :
       {"#hangu 1 sequence=0 author=a time=t\n", "#hangu 1 sequence=5\n", "#hangu 1 \n",
        "#hangu 1 author=a sequence=5 time=t\n", "#hangu 1 sequence=05 author=a time=t\n",
        "#hangu 1 sequence=5 author=a time=t more\n"}) {
    EXPECT_FALSE(read_envelope(text).has_value()) << text;
  }
}

class TrustTest : public ::testing::Test {
 protected:
  Trust trust(uint32_t approvals) {
    auto made = Trust::load(
        {folder_.file("li.pub", li_.public_pem()), folder_.file("wang.pub", wang_.public_pem())},
        approvals);
    EXPECT_TRUE(made.has_value());
    return std::move(*made);
  }

  std::string text(uint64_t sequence, const std::string& body, bool deleted = false) {
    Envelope one = envelope(sequence, body, deleted);
    sign(one, "/p/routes/a", li_);
    return to_text(one);
  }

  Folder folder_;
  tls::SigningKey li_ = tls::SigningKey::generate();
  tls::SigningKey wang_ = tls::SigningKey::generate();
  tls::SigningKey stranger_ = tls::SigningKey::generate();
};

TEST_F(TrustTest, ApprovalsAreOfDifferentKeys) {
  Envelope one = envelope(1, "x: 1");
  EXPECT_EQ(trust(1).refusal("k", one), "it is not signed");
  sign(one, "k", stranger_);
  EXPECT_THAT(trust(1).refusal("k", one), HasSubstr("not trusted"));
  sign(one, "k", li_);
  sign(one, "k", li_);
  EXPECT_EQ(trust(1).refusal("k", one), "");
  EXPECT_EQ(trust(2).refusal("k", one), "it has 1 of 2 approvals");
  one.signatures.push_back(one.signatures.back());
  EXPECT_EQ(trust(2).refusal("k", one), "it has 1 of 2 approvals");
  sign(one, "k", wang_);
  EXPECT_EQ(trust(2).refusal("k", one), "");
}

TEST_F(TrustTest, EveryByteIsSigned) {
  Envelope one = envelope(1, "x: 1");
  sign(one, "k", li_);
  const Trust believes = trust(1);
  EXPECT_EQ(believes.refusal("k", one), "");
  EXPECT_NE(believes.refusal("other", one), "");
  for (const auto& change : std::vector<std::function<void(Envelope&)>>{
           [](Envelope& e) { e.body += ' '; }, [](Envelope& e) { e.sequence = 2; },
           [](Envelope& e) { e.author = "eve"; }, [](Envelope& e) { e.time = "2027"; },
           [](Envelope& e) { e.deleted = true; },
           [](Envelope& e) { e.signatures[0].digits[5] ^= 1; }}) {
    Envelope changed = one;
    change(changed);
    EXPECT_NE(believes.refusal("k", changed), "");
  }
}

TEST_F(TrustTest, TooFewKeysForTheApprovals) {
  const std::string path = folder_.file("li.pub", li_.public_pem());
  EXPECT_FALSE(Trust::load({path, path}, 2).has_value());
  EXPECT_FALSE(Trust::load({folder_.file("none")}, 1).has_value());
}

TEST_F(TrustTest, OldVersionsDoNotComeBack) {
  Intake intake(trust(1), {.prefix = "/p/"});
  EXPECT_THAT(write(intake.change({{"routes/a", text(1, "v1")}})), ElementsAre("routes/a=v1"));
  EXPECT_THAT(write(intake.change({{"routes/a", text(2, "v2")}})), ElementsAre("routes/a=v2"));
  EXPECT_THAT(intake.change({{"routes/a", text(1, "v1")}}), IsEmpty());
  ASSERT_THAT(intake.refused(), SizeIs(1));
  EXPECT_THAT(intake.refused()[0].reason, HasSubstr("not after 2"));
  EXPECT_THAT(intake.change({{"routes/a", text(2, "other v2")}}), IsEmpty());
  EXPECT_THAT(write(intake.change({{"routes/a", text(3, "v3")}})), ElementsAre("routes/a=v3"));
  EXPECT_THAT(intake.refused(), IsEmpty());
}

TEST_F(TrustTest, RemovalsAreSigned) {
  Intake intake(trust(1), {.prefix = "/p/"});
  static_cast<void>(intake.change({{"routes/a", text(1, "v1")}, {"routes/b", "unsigned"}}));
  EXPECT_THAT(intake.refused(), SizeIs(1));
  EXPECT_THAT(intake.change({{"routes/a", std::nullopt}}), IsEmpty());
  EXPECT_THAT(intake.refused(), SizeIs(2));
  EXPECT_THAT(write(intake.change({{"routes/a", text(2, "", true)}})),
              ElementsAre("routes/a gone"));
  EXPECT_THAT(intake.change({{"routes/a", std::nullopt}}), IsEmpty()) << "swept";
  EXPECT_THAT(intake.refused(), SizeIs(1)) << "routes/b still is not signed";
  EXPECT_THAT(intake.change({{"routes/a", text(1, "v1")}}), IsEmpty()) << "it is remembered";
}

TEST_F(TrustTest, CacheRemembersVersions) {
  Intake before(trust(1), {.prefix = "/p/"});
  static_cast<void>(before.change({{"routes/a", text(2, "v2")}}));
  const std::string path = folder_.file("cache");
  ASSERT_TRUE(write_cache(path, before.believed(), "a secret of 16 bytes").has_value());
  const auto read = read_cache(path, "a secret of 16 bytes");
  ASSERT_TRUE(read.has_value());
  Intake after(trust(1), {.prefix = "/p/"});
  EXPECT_THAT(write(after.replace(*read)), ElementsAre("routes/a=v2"));
  EXPECT_THAT(after.replace({{"routes/a", text(1, "v1")}}), IsEmpty());
  EXPECT_THAT(after.refused(), SizeIs(1));
}

Intake open_intake(bool confirm_empty = false) {
  return Intake(*Trust::load({}, 1), {.prefix = "/p/", .confirm_empty = confirm_empty});
}

TEST(Intake, WholeStoreReplacesWhatWasThere) {
  Intake intake = open_intake();
  static_cast<void>(intake.replace({{"routes/a", "1"}, {"routes/b", "2"}}));
  EXPECT_THAT(write(intake.replace({{"routes/b", "2"}, {"routes/c", "3"}})),
              ElementsAre("routes/c=3", "routes/a gone"));
}

TEST(Intake, LostStoreTakesNothingAway) {
  Intake intake = open_intake();
  static_cast<void>(intake.replace({{"routes/a", "1"}, {"routes/b", "2"}}));
  EXPECT_THAT(intake.replace({}), IsEmpty());
  EXPECT_TRUE(intake.holds_lost_store());
  EXPECT_THAT(intake.believed(), SizeIs(2));
  EXPECT_THAT(intake.change({{"routes/a", "1"}}), IsEmpty());
  EXPECT_FALSE(intake.holds_lost_store());
  EXPECT_THAT(write(intake.replace({{"routes/a", "1"}})), ElementsAre("routes/b gone"));
}

TEST(Intake, LastDocumentStaysUntilEmptyIsConfirmed) {
  Intake intake = open_intake();
  static_cast<void>(intake.replace({{"routes/a", "1"}}));
  EXPECT_THAT(intake.change({{"routes/a", std::nullopt}}), IsEmpty());
  EXPECT_TRUE(intake.holds_lost_store());
  EXPECT_THAT(write(intake.change({{"routes/b", "2"}})), ElementsAre("routes/b=2"));
  EXPECT_THAT(write(intake.replace({{"routes/b", "2"}})), ElementsAre("routes/a gone"));
  Intake confirmed = open_intake(true);
  static_cast<void>(confirmed.replace({{"routes/a", "1"}}));
  EXPECT_THAT(write(confirmed.replace({})), ElementsAre("routes/a gone"));
}

TEST(Cache, DamageAndForeignKeysShow) {
  const Folder folder;
  const std::string path = folder.file("cache");
  EXPECT_THAT(*read_cache(path, ""), IsEmpty());
  ASSERT_TRUE(write_cache(path, {{"routes/a", "text"}}, "").has_value());
  EXPECT_THAT(*read_cache(path, ""), SizeIs(1));
  EXPECT_THAT(read_cache(path, "a secret of 16 bytes").error(), HasSubstr("not encrypted"));
  ASSERT_TRUE(write_cache(path, {{"routes/a", "text"}}, "a secret of 16 bytes").has_value());
  EXPECT_THAT(read_cache(path, "").error(), HasSubstr("is encrypted"));
  EXPECT_THAT(read_cache(path, "another one of 16 bytes").error(), HasSubstr("another key"));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  EXPECT_THAT(read_cache(path, "a secret of 16 bytes").error(), HasSubstr("damaged"));
  std::ofstream(path) << "something else";
  EXPECT_THAT(read_cache(path, "").error(), HasSubstr("no cache"));
}

}  // namespace
}  // namespace hangu::fleet
