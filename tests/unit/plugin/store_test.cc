#include "hangu/plugin/store.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hangu/tls/signature.h"

namespace hangu::plugin {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Plugins that are never called need no functions of streams.
const hangu_host kNoFunctions{};

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    folder_ =
        fs::temp_directory_path() / ("hangu-plugin-test-" + std::to_string(::getpid()) + "-" +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }

  ~StoreTest() override { fs::remove_all(folder_); }

  /// Puts one of the built plugins into the place of the config's file, as a deployment would.
  void install(const std::string& built) {
    const std::string draft = path() + ".new";
    fs::copy_file(fs::path(HANGU_PLUGIN_FOLDER) / (built + ".so"), draft,
                  fs::copy_options::overwrite_existing);
    fs::rename(draft, path());
  }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  std::string path() const { return folder_ / "plugin.so"; }

  /// One plugin, used by one route.
  config::Config make_config(const std::string& json) const {
    config::Config config;
    config::Plugin plugin;
    plugin.name = "p";
    plugin.path = path();
    plugin.place = {.line = 3, .column = 7};
    config.plugins.push_back(plugin);
    config::PluginUse use;
    use.config.json = json;
    use.config.places = {{.pointer = "", .place = {.line = 9, .column = 1}},
                         {.pointer = "/secret", .place = {.line = 10, .column = 5}},
                         {.pointer = "/words", .place = {.line = 11, .column = 5}}};
    config::Route route;
    route.name = "r";
    route.plugins.push_back(use);
    config.routes.push_back(route);
    return config;
  }

  std::string error_of(const config::Config& config) {
    const auto plan = store_.plan(config);
    return plan ? "" : to_string(plan.error(), "hangu.yaml");
  }

  void apply(const config::Config& config) {
    auto plan = store_.plan(config);
    ASSERT_TRUE(plan) << to_string(plan.error(), "hangu.yaml");
    store_.commit(config, *plan, WallTime{});
  }

  std::string version(const config::Config& config) { return store_.status(config).at(0).version; }

  fs::path folder_;
  stats::Registry registry_{2};
  Store store_{{.folder = {}, .functions = &kNoFunctions, .workers = 2}, registry_};
};

constexpr const char* kGood = R"({"secret": "correct horse"})";

TEST_F(StoreTest, LoadsAndConfigures) {
  install("signature");
  const config::Config config = make_config(kGood);
  apply(config);
  const PluginStatus status = store_.status(config).at(0);
  EXPECT_EQ(status.title, "signature");
  EXPECT_EQ(status.version, "1.0.0");
  EXPECT_EQ(status.sha256.size(), 64U);
}

TEST(HostTest, IsThereAsLongAsTheProcess) {
  const hangu_host* host = nullptr;
  {
    stats::Registry registry{2};
    const auto image = read_image({.name = "p", .path = HANGU_PLUGIN_FOLDER "/signature.so"});
    ASSERT_TRUE(image) << image.error();
    const auto library = Library::load(
        HANGU_PLUGIN_FOLDER "/signature.so", *image,
        {.name = "p", .functions = &kNoFunctions, .stats = registry.plugin("p"), .ticks = {}});
    ASSERT_TRUE(library) << library.error();
    host = &(*library)->host();
  }
  // As a thread of the plugin's does, when there is no gateway any more.
  host->log(host, HANGU_LOG_DEBUG, {.data = "still", .size = 5});
  void* const memory = host->allocate(host, 100);
  ASSERT_NE(memory, nullptr);
  host->deallocate(host, memory);
}

TEST_F(StoreTest, WhatCannotBeAPluginIsRefusedByName) {
  const config::Config config = make_config("{}");
  EXPECT_THAT(error_of(config), HasSubstr("hangu.yaml:3:7: plugin \"p\""));
  EXPECT_THAT(error_of(config), HasSubstr("cannot be read"));
  write("plugin.so", "no shared object");
  EXPECT_THAT(error_of(config), HasSubstr("plugin \"p\""));
  install("odd_no_symbol");
  EXPECT_THAT(error_of(config), HasSubstr("exports no hangu_plugin_descriptor"));
}

TEST_F(StoreTest, OtherInterfacesAreRefused) {
  const config::Config config = make_config("{}");
  install("odd_newer_major");
  EXPECT_THAT(error_of(config), HasSubstr("built for plugin interface 2.0, this hangu has 1.0"));
  install("odd_newer_minor");
  EXPECT_THAT(error_of(config), HasSubstr("built for plugin interface 1.1, this hangu has 1.0"));
  install("odd_size");
  EXPECT_THAT(error_of(config), HasSubstr("descriptor has"));
  install("odd_no_function");
  EXPECT_THAT(error_of(config), HasSubstr("a phase without its function"));
}

TEST_F(StoreTest, FailedInitialisationIsRefused) {
  install("odd_initialise");
  EXPECT_THAT(error_of(make_config("{}")), HasSubstr("could not initialise itself"));
}

TEST_F(StoreTest, ComplaintsHaveThePlaceOfTheirPointer) {
  install("signature");
  EXPECT_EQ(error_of(make_config(R"({"secret": "short"})")),
            "hangu.yaml:10:5: route \"r\": plugin \"p\": /secret: must have at least 8 characters");
  EXPECT_THAT(error_of(make_config("{}")), HasSubstr("hangu.yaml:9:1: "));
  EXPECT_THAT(error_of(make_config("{}")), HasSubstr("lacks the key \"secret\""));
  // A part that has no place of its own has that of what it is in.
  install("words");
  EXPECT_THAT(error_of(make_config(R"({"words": ["a", 5]})")),
              HasSubstr("hangu.yaml:11:5: route \"r\": plugin \"p\": /words/1: must be a text"));
  EXPECT_THAT(error_of(make_config(R"({"words": ["a"], "wrods": 1})")),
              HasSubstr("/wrods: unknown key"));
}

TEST_F(StoreTest, DigestMustBeThatOfTheConfig) {
  install("signature");
  config::Config config = make_config(kGood);
  apply(config);
  config.plugins[0].sha256 = store_.status(config).at(0).sha256;
  EXPECT_EQ(error_of(config), "");
  config.plugins[0].sha256[0] = config.plugins[0].sha256[0] == '0' ? '1' : '0';
  EXPECT_THAT(error_of(config), HasSubstr("not the one of the config"));
}

TEST_F(StoreTest, SignatureMustBeOfATrustedKey) {
  install("signature");
  const tls::SigningKey key = tls::SigningKey::generate();
  const tls::SigningKey stranger = tls::SigningKey::generate();
  write("key.pub", key.public_pem());
  config::Config config = make_config(kGood);
  config.plugins[0].trusted_keys = {folder_ / "key.pub"};
  EXPECT_THAT(error_of(config), HasSubstr("is not signed"));

  std::ifstream file(path(), std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  write("plugin.so.sig", stranger.sign(bytes));
  EXPECT_THAT(error_of(config), HasSubstr("no signature of a trusted key"));
  write("plugin.so.sig", key.sign(bytes) + "\n");
  apply(config);
  EXPECT_EQ(store_.status(config).at(0).signed_by, key.id());

  install("signature_next");  // the signature is of other bytes
  const auto plan = store_.plan_swap(config, "p", true);
  ASSERT_FALSE(plan);
  EXPECT_THAT(to_string(plan.error(), "f"), HasSubstr("no signature of a trusted key"));
  EXPECT_EQ(version(config), "1.0.0");
}

TEST_F(StoreTest, SwapsAndRollsBack) {
  install("signature");
  const config::Config config = make_config(kGood);
  apply(config);
  EXPECT_FALSE(store_.plan_rollback(config, "p"));
  install("signature_next");
  auto plan = store_.plan_swap(config, "p", true);
  ASSERT_TRUE(plan);
  EXPECT_THAT(store_.changed(*plan), ElementsAre("p"));
  EXPECT_EQ(version(config), "1.0.0");  // not yet
  store_.commit(config, *plan, WallTime{});
  EXPECT_EQ(version(config), "1.1.0");
  EXPECT_EQ(store_.status(config).at(0).previous, "1.0.0");

  plan = store_.plan_rollback(config, "p");
  ASSERT_TRUE(plan);
  store_.commit(config, *plan, WallTime{});
  EXPECT_EQ(version(config), "1.0.0");
  // What was rolled back from comes back by an order only, not by a reload or the watch.
  plan = store_.plan(config);
  ASSERT_TRUE(plan);
  EXPECT_THAT(store_.changed(*plan), IsEmpty());
  plan = store_.plan_swap(config, "p", false);
  ASSERT_TRUE(plan);
  EXPECT_THAT(store_.changed(*plan), IsEmpty());
  plan = store_.plan_swap(config, "p", true);
  ASSERT_TRUE(plan);
  EXPECT_THAT(store_.changed(*plan), ElementsAre("p"));
}

TEST_F(StoreTest, ABadVersionLeavesTheOldInForce) {
  install("signature");
  const config::Config config = make_config(kGood);
  apply(config);
  install("words");  // whose config is another
  EXPECT_FALSE(store_.plan_swap(config, "p", true));
  EXPECT_EQ(version(config), "1.0.0");
  install("signature");
  auto plan = store_.plan_swap(config, "p", true);
  ASSERT_TRUE(plan);
  EXPECT_THAT(store_.changed(*plan), IsEmpty());
}

TEST_F(StoreTest, InstancesGoWithTheirLastUser) {
  install("odd");
  const config::Config config = make_config("{}");
  {
    auto plan = store_.plan(config);
    ASSERT_TRUE(plan);
    store_.commit(config, *plan, WallTime{});
    EXPECT_EQ(registry_.plugin("p")->allocated_bytes.load(), 100U);
    EXPECT_EQ(store_.status(config).at(0).instances, 1U);
    // The same config: the same instance.
    const auto again = store_.plan(config);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->instance("p", "{}"), plan->instance("p", "{}"));
  }
  EXPECT_EQ(registry_.plugin("p")->allocated_bytes.load(), 0U);
  EXPECT_EQ(registry_.plugin("p")->allocations.load(), 1U);
}

TEST_F(StoreTest, CopiesLieInTheFolderUnderTheirDigest) {
  install("signature");
  const fs::path state = folder_ / "state" / "plugins";
  Store store({.folder = state, .functions = &kNoFunctions, .workers = 1}, registry_);
  const config::Config config = make_config(kGood);
  auto plan = store.plan(config);
  ASSERT_TRUE(plan);
  store.commit(config, *plan, WallTime{});
  const std::string digest = store.status(config).at(0).sha256;
  EXPECT_TRUE(fs::exists(state / ("p-" + digest + ".so")));
  EXPECT_EQ(fs::status(state).permissions(), fs::perms::owner_all);
  fs::remove(path());  // what is in use is the copy
  EXPECT_EQ(std::distance(fs::directory_iterator(state), fs::directory_iterator{}), 1);
}

TEST_F(StoreTest, TheWatchSeesNewFilesOnce) {
  install("signature");
  config::Config config = make_config(kGood);
  config.plugins[0].watch = true;
  apply(config);
  EXPECT_THAT(store_.changed_files(config), ElementsAre("p"));  // never looked at before
  EXPECT_THAT(store_.changed_files(config), IsEmpty());
  install("signature_next");
  EXPECT_THAT(store_.changed_files(config), ElementsAre("p"));
  EXPECT_THAT(store_.changed_files(config), IsEmpty());
  write("plugin.so.sig", "a new signature is a change, too");
  EXPECT_THAT(store_.changed_files(config), ElementsAre("p"));
}

TEST(Ticks, FollowTheClock) {
  const Ticks ticks = Ticks::measured();
  timespec begun{};
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &begun);
  const uint64_t first = ticks.now();
  int64_t passed = 0;
  while (passed < 5'000'000) {
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    passed = (now.tv_sec - begun.tv_sec) * 1'000'000'000 + now.tv_nsec - begun.tv_nsec;
  }
  const auto by_ticks = static_cast<int64_t>(ticks.to_ns(ticks.now() - first));
  EXPECT_GT(by_ticks, passed * 9 / 10);
}

}  // namespace
}  // namespace hangu::plugin
