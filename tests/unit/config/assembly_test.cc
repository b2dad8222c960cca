// Assembly: documents join the lists of the file, alone or together, and cost what they change.
#include "hangu/config/assembly.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kFile = R"(version: 1
node: gw-1
listeners:
  - {name: web, bind: "127.0.0.1:8080"}
upstreams:
  - {name: local, endpoints: ["127.0.0.1:9000"]}
routes:
  - {name: health, match: {path: {exact: /health}}, upstream: local}
)";

class AssemblyTest : public ::testing::Test {
 protected:
  AssemblyTest()
      : path_(std::filesystem::temp_directory_path() /
              fmt::format("hangu-assembly-{}.yaml", ::getpid())),
        assembly_(path_.string(), {.load = {}, .complete = {}, .digest = [](std::string_view text) {
                                     return std::to_string(std::hash<std::string_view>()(text));
                                   }}) {
    write(kFile);
  }

  ~AssemblyTest() override { std::filesystem::remove(path_); }

  void write(std::string_view text) { std::ofstream(path_) << text; }

  void load() { ASSERT_TRUE(assembly_.load().config.has_value()); }

  static Document users() { return {"upstreams/users", "endpoints: [\"127.0.0.1:9001\"]"}; }

  static Document route(const std::string& name, const std::string& upstream = "users") {
    return {"routes/" + name,
            fmt::format("{{match: {{path: {{prefix: /{}}}}}, upstream: {}}}", name, upstream)};
  }

  static std::vector<std::string> names(const Config& config) {
    std::vector<std::string> out;
    for (const Route& each : config.routes) {
      out.push_back(each.name);
    }
    return out;
  }

  /// What a new Assembly makes of the same file and documents.
  Config anew() {
    Assembly other(path_.string());
    EXPECT_TRUE(other.load().config.has_value());
    const LoadResult all = other.change(assembly_.documents());
    EXPECT_TRUE(all.config.has_value());
    return all.config.value_or(Config{});
  }

  std::filesystem::path path_;
  Assembly assembly_;
};

TEST_F(AssemblyTest, FileAloneIsAConfig) {
  const LoadResult loaded = assembly_.load();
  ASSERT_TRUE(loaded.config.has_value());
  EXPECT_THAT(names(*loaded.config), ElementsAre("health"));
  EXPECT_EQ(loaded.config->node, "gw-1");
}

TEST_F(AssemblyTest, DocumentsJoinTheListsAndReferToEachOther) {
  load();
  const LoadResult loaded = assembly_.change({route("b"), route("a", "local"), users()});
  ASSERT_TRUE(loaded.config.has_value());
  EXPECT_THAT(names(*loaded.config), ElementsAre("health", "a", "b"));
  EXPECT_EQ(loaded.config->upstreams[1].name, "users");
  EXPECT_EQ(loaded.config->routes[1].upstream, 0U);
  EXPECT_EQ(loaded.config->routes[2].upstream, 1U);
  EXPECT_THAT(assembly_.refused(), IsEmpty());
  EXPECT_EQ(*loaded.config, anew());
}

TEST_F(AssemblyTest, DocumentsBeforeTheFileWait) {
  EXPECT_FALSE(assembly_.change({users(), route("a")}).config.has_value());
  const LoadResult loaded = assembly_.load();
  ASSERT_TRUE(loaded.config.has_value());
  EXPECT_THAT(names(*loaded.config), ElementsAre("health", "a"));
}

TEST_F(AssemblyTest, UnchangedRoutesAreTheSameObjects) {
  load();
  const LoadResult before = assembly_.change({users(), route("a"), route("c")});
  const LoadResult replaced = assembly_.change({route("a", "local")});
  EXPECT_EQ(before.config->routes.item(2), replaced.config->routes.item(2));
  EXPECT_TRUE(before.config->routes[1].upstream != replaced.config->routes[1].upstream);
  const LoadResult added = assembly_.change({route("b")});
  EXPECT_THAT(names(*added.config), ElementsAre("health", "a", "b", "c"));
  EXPECT_EQ(before.config->routes.item(2), added.config->routes.item(3));
  EXPECT_EQ(*added.config, anew());
}

TEST_F(AssemblyTest, RouteThatGoesTakesOnlyItself) {
  load();
  static_cast<void>(assembly_.change({users(), route("a"), route("b"), route("c")}));
  const LoadResult loaded = assembly_.change({{"routes/b", std::nullopt}, route("d")});
  ASSERT_TRUE(loaded.config.has_value());
  EXPECT_THAT(names(*loaded.config), ElementsAre("health", "a", "c", "d"));
  EXPECT_EQ(*loaded.config, anew());
  EXPECT_TRUE(assembly_.change({route("b")}).config.has_value()) << "its name is free again";
}

TEST_F(AssemblyTest, BadDocumentIsRefusedAloneAndSaysWhere) {
  load();
  const LoadResult loaded =
      assembly_.change({users(), route("a"), {"routes/bad", "upstream: users\ntimeuot: 5s"}});
  ASSERT_TRUE(loaded.config.has_value());
  EXPECT_THAT(names(*loaded.config), ElementsAre("health", "a"));
  ASSERT_THAT(assembly_.refused(), SizeIs(1));
  EXPECT_EQ(assembly_.refused()[0].key, "routes/bad");
  EXPECT_THAT(assembly_.refused()[0].reason, HasSubstr("line 2: E0123 unknown key \"timeuot\""));
  ASSERT_THAT(loaded.diagnostics, ::testing::Not(IsEmpty()));
  EXPECT_EQ(loaded.diagnostics[0].file, "routes/bad");
  EXPECT_EQ(loaded.diagnostics[0].line, 2U);
  EXPECT_EQ(loaded.diagnostics[0].snippet, "timeuot: 5s");
}

TEST_F(AssemblyTest, BadVersionLeavesTheOneBefore) {
  load();
  static_cast<void>(assembly_.change({users(), route("a")}));
  const LoadResult bad = assembly_.change({{"routes/a", "{upstream: 5, timeout: soon}"}});
  EXPECT_FALSE(bad.config.has_value());
  EXPECT_THAT(assembly_.refused(), SizeIs(1));
  const LoadResult next = assembly_.change({route("b")});
  ASSERT_TRUE(next.config.has_value());
  EXPECT_THAT(names(*next.config), ElementsAre("health", "a", "b"));
  EXPECT_THAT(assembly_.refused(), SizeIs(1)) << "it is still wanted";
  static_cast<void>(assembly_.change({route("a", "local")}));
  EXPECT_THAT(assembly_.refused(), IsEmpty());
}

TEST_F(AssemblyTest, RouteWaitsForItsUpstream) {
  load();
  EXPECT_FALSE(assembly_.change({route("a")}).config.has_value());
  EXPECT_THAT(assembly_.refused()[0].reason, HasSubstr("users"));
  const LoadResult loaded = assembly_.change({users()});
  ASSERT_TRUE(loaded.config.has_value());
  EXPECT_THAT(names(*loaded.config), ElementsAre("health", "a"));
  EXPECT_THAT(assembly_.refused(), IsEmpty());
}

TEST_F(AssemblyTest, UpstreamInUseCannotGo) {
  load();
  static_cast<void>(assembly_.change({users(), route("a")}));
  const LoadResult refused = assembly_.change({{"upstreams/users", std::nullopt}, route("b")});
  ASSERT_TRUE(refused.config.has_value()) << "the route has nothing to do with it";
  EXPECT_THAT(names(*refused.config), ElementsAre("health", "a", "b"));
  ASSERT_THAT(assembly_.refused(), SizeIs(1));
  EXPECT_THAT(assembly_.refused()[0].reason, HasSubstr("routes/a"));
  const LoadResult gone =
      assembly_.change({{"routes/a", std::nullopt}, {"routes/b", std::nullopt}});
  ASSERT_TRUE(gone.config.has_value());
  EXPECT_THAT(gone.config->upstreams, SizeIs(1));
  EXPECT_THAT(assembly_.refused(), IsEmpty());
}

TEST_F(AssemblyTest, NamesOfTheFileAreTaken) {
  load();
  EXPECT_FALSE(assembly_.change({route("health", "local")}).config.has_value());
  EXPECT_THAT(assembly_.refused()[0].reason, HasSubstr("taken"));
}

TEST_F(AssemblyTest, NewFileKeepsTheDocuments) {
  load();
  static_cast<void>(assembly_.change({users(), route("a")}));
  write(std::string(kFile) + "  - {name: more, match: {path: {exact: /more}}, upstream: local}\n");
  const LoadResult loaded = assembly_.load();
  ASSERT_TRUE(loaded.config.has_value());
  EXPECT_THAT(names(*loaded.config), ElementsAre("health", "more", "a"));
}

TEST_F(AssemblyTest, BadFileLeavesEverything) {
  load();
  static_cast<void>(assembly_.change({users(), route("a")}));
  write("version: 1\nlisteners: 5\n");
  const LoadResult bad = assembly_.load();
  EXPECT_FALSE(bad.config.has_value());
  EXPECT_THAT(assembly_.refused(), IsEmpty());
  const LoadResult next = assembly_.change({route("b")});
  ASSERT_TRUE(next.config.has_value());
  EXPECT_THAT(names(*next.config), ElementsAre("health", "a", "b"));
}

constexpr std::string_view kFileWithoutLocal = R"(version: 1
listeners: [{name: web, bind: "127.0.0.1:8080"}]
upstreams: [{name: other, endpoints: ["127.0.0.1:9000"]}]
)";

TEST_F(AssemblyTest, FileThatTakesWhatDocumentsNeedIsRefused) {
  load();
  static_cast<void>(assembly_.change({route("a", "local")}));
  write(kFileWithoutLocal);
  const LoadResult loaded = assembly_.load();
  EXPECT_FALSE(loaded.config.has_value());
  ASSERT_THAT(loaded.diagnostics, ::testing::Not(IsEmpty()));
  EXPECT_EQ(loaded.diagnostics[0].file, "routes/a");
  EXPECT_THAT(assembly_.refused(), IsEmpty());
  EXPECT_TRUE(assembly_.change({route("b", "local")}).config.has_value());
}

TEST_F(AssemblyTest, StartTakesWhatItCan) {
  write(kFileWithoutLocal);
  static_cast<void>(assembly_.change({route("a", "local"), route("b", "other")}));
  const LoadResult loaded = assembly_.load();
  ASSERT_TRUE(loaded.config.has_value());
  EXPECT_THAT(names(*loaded.config), ElementsAre("b"));
  EXPECT_THAT(assembly_.refused(), SizeIs(1));
}

TEST_F(AssemblyTest, KeysAreChecked) {
  EXPECT_EQ(document_key_error("routes/a"), "");
  EXPECT_THAT(document_key_error("listeners/web"), HasSubstr("lists are upstreams, "));
  EXPECT_THAT(document_key_error("routes"), HasSubstr("is not LIST/NAME"));
  EXPECT_NE(document_key_error("routes/"), "");
  EXPECT_NE(document_key_error("routes/a b"), "");
  EXPECT_NE(document_key_error("routes/a/b"), "");
  load();
  EXPECT_FALSE(assembly_.change({{"settings/x", "{}"}}).config.has_value());
  EXPECT_FALSE(assembly_.change({{"routes/a", "name: b\nupstream: local"}}).config.has_value());
  EXPECT_FALSE(assembly_.change({{"routes/a", "[1]"}}).config.has_value());
  EXPECT_FALSE(assembly_.change({{"routes/a", ""}}).config.has_value());
}

TEST_F(AssemblyTest, WhatTheGatewayDoesNotTakeIsHeldBack) {
  load();
  static_cast<void>(assembly_.change({users(), route("a")}));
  ASSERT_TRUE(assembly_.change({route("a", "local"), route("b")}).config.has_value());
  assembly_.revert("no such plugin");
  ASSERT_THAT(assembly_.refused(), SizeIs(2));
  EXPECT_EQ(assembly_.refused()[0].reason, "no such plugin");
  const LoadResult next = assembly_.change({route("c")});
  ASSERT_TRUE(next.config.has_value());
  EXPECT_THAT(names(*next.config), ElementsAre("health", "a", "c"));
  EXPECT_EQ(next.config->routes[1].upstream, 1U);
  const LoadResult again = assembly_.change({route("b", "local")});
  EXPECT_THAT(names(*again.config), ElementsAre("health", "a", "b", "c"));
  EXPECT_THAT(assembly_.refused(), SizeIs(1));
}

TEST_F(AssemblyTest, OneThatNobodyNamesDoesNotHoldUpTheRest) {
  load();
  const std::string key = "{api_keys: [{id: k, hash: \"sha256:" + std::string(64, 'a') + "\"}]}";
  static_cast<void>(assembly_.change({users(), route("a"), {"consumers/bob", key}}));
  ASSERT_THAT(assembly_.refused(), IsEmpty());
  // The error is said of the second in the list, which is not the one that is new.
  const LoadResult both = assembly_.change({{"consumers/alice", key}, route("b")});
  ASSERT_TRUE(both.config.has_value());
  EXPECT_THAT(names(*both.config), ElementsAre("health", "a", "b"));
  ASSERT_THAT(assembly_.refused(), SizeIs(1));
  EXPECT_EQ(assembly_.refused()[0].key, "consumers/alice");
  const LoadResult next = assembly_.change({route("c")});
  ASSERT_TRUE(next.config.has_value());
  EXPECT_THAT(names(*next.config), ElementsAre("health", "a", "b", "c"));
}

TEST_F(AssemblyTest, RefusedRemovalHoldsUpNoOtherAndNoFile) {
  load();
  static_cast<void>(assembly_.change({users(), route("a"), route("b", "local")}));
  EXPECT_FALSE(assembly_.change({{"upstreams/users", std::nullopt}}).config.has_value());
  const LoadResult other = assembly_.change({{"routes/b", std::nullopt}});
  ASSERT_TRUE(other.config.has_value());
  EXPECT_THAT(names(*other.config), ElementsAre("health", "a"));
  write(std::string(kFile) + "  - {name: more, match: {path: {exact: /more}}, upstream: local}\n");
  const LoadResult file = assembly_.load();
  ASSERT_TRUE(file.config.has_value());
  EXPECT_THAT(names(*file.config), ElementsAre("health", "more", "a"));
  EXPECT_THAT(assembly_.refused(), SizeIs(1));
}

TEST_F(AssemblyTest, FileThatTheGatewayDoesNotTakeGoesAgain) {
  load();
  static_cast<void>(assembly_.change({users(), route("a")}));
  write(std::string(kFile) + "  - {name: more, match: {path: {exact: /more}}, upstream: local}\n");
  ASSERT_TRUE(assembly_.load().config.has_value());
  assembly_.revert_load();
  const LoadResult next = assembly_.change({route("b")});
  ASSERT_TRUE(next.config.has_value());
  EXPECT_THAT(names(*next.config), ElementsAre("health", "a", "b"));
}

TEST_F(AssemblyTest, DigestIsOfWhatIsInForce) {
  const std::string file = assembly_.load().digest;
  const std::string with = assembly_.change({users()}).digest;
  EXPECT_NE(file, with);
  static_cast<void>(assembly_.change({route("a")}));
  EXPECT_EQ(assembly_.change({{"routes/a", std::nullopt}}).digest, with);
  EXPECT_EQ(assembly_.change({{"upstreams/users", std::nullopt}}).digest, file);
}

TEST_F(AssemblyTest, AllOrNoneOfAChange) {
  load();
  ASSERT_TRUE(assembly_.change_all({users(), route("users")}).config.has_value());
  const LoadResult refused = assembly_.change_all({route("a"), route("b", "nobody")});
  EXPECT_FALSE(refused.config.has_value());
  ASSERT_THAT(refused.diagnostics, SizeIs(1));
  EXPECT_EQ(refused.diagnostics[0].file, "routes/b");
  EXPECT_THAT(assembly_.refused(), IsEmpty());
  EXPECT_EQ(assembly_.document("routes/a"), std::nullopt);
  const LoadResult changed = assembly_.change_all({route("a")});
  ASSERT_TRUE(changed.config.has_value());
  EXPECT_THAT(names(*changed.config), ElementsAre("health", "a", "users"));
  EXPECT_EQ(*changed.config, anew());
}

TEST_F(AssemblyTest, AChangeThatIsOnlyCheckedLeavesNoTrace) {
  load();
  ASSERT_TRUE(assembly_.change_all({users()}).config.has_value());
  EXPECT_TRUE(assembly_.check_all({route("a")}).config.has_value());
  EXPECT_FALSE(assembly_.check_all({{"upstreams/users", std::nullopt}, route("a")}).config);
  EXPECT_EQ(assembly_.size(), 1U);
  const LoadResult changed = assembly_.change_all({route("a"), route("b")});
  ASSERT_TRUE(changed.config.has_value());
  EXPECT_EQ(*changed.config, anew());
}

TEST_F(AssemblyTest, AChangeIsTakenBackWithWhatWaited) {
  load();
  ASSERT_TRUE(assembly_.change_all({users(), route("a")}).config.has_value());
  static_cast<void>(assembly_.change({route("b", "later")}));  // waits
  ASSERT_THAT(assembly_.refused(), SizeIs(1));
  ASSERT_TRUE(assembly_.change_all({route("a", "local"), route("b", "local")}).config.has_value());
  EXPECT_THAT(assembly_.refused(), IsEmpty());
  const LoadResult before = assembly_.revert_all();
  ASSERT_TRUE(before.config.has_value());
  EXPECT_THAT(names(*before.config), ElementsAre("health", "a"));
  EXPECT_EQ(*before.config, anew());
  ASSERT_THAT(assembly_.refused(), SizeIs(1));
  EXPECT_EQ(assembly_.refused()[0].key, "routes/b");
}

TEST_F(AssemblyTest, ElementsAreShownAsTheyWereWrittenWithoutSecrets) {
  write(std::string(kFile) +
        "stores:\n  - {name: hot, url: \"redis://10.0.0.1\", password: s3cret}\n");
  load();
  ASSERT_TRUE(assembly_
                  .change_all({{"stores/cold",
                                "# the old one\nurl: redis://10.0.0.2\n"
                                "password: pass${x:-word}\n"}})
                  .config.has_value());
  const auto element = assembly_.element("stores/hot");
  ASSERT_TRUE(element.has_value());
  EXPECT_TRUE(element->summary.in_file);
  EXPECT_EQ(element->yaml, "url: \"redis://10.0.0.1\"\npassword: \"***\"\n");
  EXPECT_EQ(element->json, R"({"url":"redis://10.0.0.1","password":"***"})");
  const auto other = assembly_.element("stores/cold");
  ASSERT_TRUE(other.has_value());
  EXPECT_FALSE(other->summary.in_file);
  EXPECT_EQ(other->yaml, "url: redis://10.0.0.2\npassword: pass${x:-word}\n");
  EXPECT_FALSE(assembly_.element("stores/none").has_value());
  std::vector<std::string> keys;
  for (const ElementSummary& each : assembly_.elements()) {
    keys.push_back((each.in_file ? "file " : "") + each.key);
  }
  EXPECT_THAT(keys, ElementsAre("file routes/health", "stores/cold", "file stores/hot",
                                "file upstreams/local"));
}

TEST_F(AssemblyTest, MasksAreFoundWhereverTheyStand) {
  const auto found =
      masked_places("stores/hot", "url: redis://10.0.0.1\npassword: \"***\"\nmore: [a, '***']");
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].path, "stores/hot.password");
  EXPECT_EQ(found[0].line, 2U);
  EXPECT_EQ(found[1].path, "stores/hot.more[1]");
}

TEST_F(AssemblyTest, KeysThatDifferAreThoseOfTheTop) {
  EXPECT_THAT(differing_keys("a: 1\nb: {c: [1, 2]}\nd: x", "{b: {c: [1, 3]}, a: 1, e: x}"),
              ElementsAre("b", "e", "d"));
  EXPECT_THAT(differing_keys("a: {b: 1}", "{\"name\": \"x\", \"a\": {\"b\": 1}}"), IsEmpty());
  EXPECT_THAT(differing_keys(std::nullopt, "a: 1"), ElementsAre("a"));
}

}  // namespace
}  // namespace hangu::config
