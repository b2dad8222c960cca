// Store: the plugins of a config by name: which version of each is in force, which were before, and
// what routes' uses of them have been made into. Asking for a new state makes a `Plan` first, in
// which everything is loaded and configured; only `commit` changes what is in force, so whatever
// goes wrong leaves all as it was. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/base/page_summaries.h"
#include "hangu/base/result.h"
#include "hangu/config/config.h"
#include "hangu/plugin/crash_report.h"
#include "hangu/plugin/library.h"
#include "hangu/plugin/status.h"
#include "hangu/stats/registry.h"

namespace hangu::plugin {

/// What keeps a plugin, or a use of it, from being used.
struct Problem {
  config::SourcePlace place;
  bool in_config = false;  // of a use; else of the plugin itself
  std::string message;
};

using Problems = std::vector<Problem>;

/// "hangu.yaml:12:5: plugin "stamp": /header: is no field name", joined by "; ".
std::string to_string(const Problems& problems, std::string_view file);

/// A state that could be.
class Plan {
 public:
  /// By the name of the plugin.
  using Libraries = std::map<std::string, const Library*, std::less<>>;

  const Libraries& libraries() const { return libraries_; }

  /// For a use in a route; it has been made.
  std::shared_ptr<const Instance> instance(std::string_view plugin, const std::string& json) const;

 private:
  friend class Store;

  Libraries libraries_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const Instance>> instances_;
  std::string rolled_back_;  // name of the plugin that goes back a version; empty: none does
};

class Store {
 public:
  struct Options {
    std::string folder;  // for copies; empty: they are kept in memory, for a check
    const hangu_host* functions;
    uint32_t workers = 0;
  };

  Store(Options options, stats::Registry& registry)
      : options_(std::move(options)),
        registry_(registry) {}

  /// The plugins of a config, as their files are now.
  Result<Plan, Problems> plan(const config::Config& config);
  /// The same config with what one plugin's file holds, or with its version before. A plan without
  /// that plugin's name in changed(): there is nothing to do. `refused_too`: even what an operator
  /// has rolled back from.
  Result<Plan, Problems> plan_swap(const config::Config& config, std::string_view plugin,
                                   bool refused_too);
  Result<Plan, Problems> plan_rollback(const config::Config& config, std::string_view plugin);

  /// Names of plugins of which the plan has another version than is in force.
  std::vector<std::string> changed(const Plan& plan) const;

  /// The plan is in force.
  void commit(const config::Config& config, const Plan& plan, WallTime now);

  /// Those that want to be watched whose file is another one than was last looked at.
  std::vector<std::string> changed_files(const config::Config& config);

  void note_error(std::string_view plugin, std::string error);

  std::vector<PluginStatus> status(const config::Config& config) const;

 private:
  /// What tells a file from what takes its place.
  struct Stamp {
    int64_t modified_ns = 0;
    uint64_t inode = 0;
    uint64_t bytes = 0;
    bool operator==(const Stamp&) const = default;
  };

  struct Stamps {
    Stamp image;
    Stamp signature;
    bool operator==(const Stamps&) const = default;
  };

  struct Entry {
    const Library* current = nullptr;
    std::vector<const Library*> earlier;  // the latest last
    std::string refused;  // digest of what was rolled back from: only a swap takes it again
    std::string error;
    Stamps stamps;  // of the files as the watch has seen them
    WallTime since;
  };

  static constexpr size_t kEarlierMax = 8;

  static Stamp stamp_of(const std::string& path);

  Result<const Library*, std::string> load(const config::Plugin& plugin, bool again);
  Result<std::string, std::string> file_for(const Image& image, const std::string& name);
  Result<Plan, Problems> configured(const config::Config& config, Plan plan);
  void configure(const config::Config& config, const config::Route& route,
                 const config::PluginUse& use, Plan& plan, Problems& problems);
  Plan in_force(const config::Config& config) const;
  void remove_old_files(const std::string& name, const Entry& entry) const;

  Options options_;
  stats::Registry& registry_;
  bool prepared_ = false;  // what only configs with plugins need
  Ticks ticks_;
  std::map<std::string, Entry, std::less<>> entries_;
  // All that were ever loaded, by name and digest: they are never unmapped.
  std::map<std::pair<std::string, std::string>, const Library*> libraries_;
  // Routes and generations share those with the same config.
  std::map<std::pair<const Library*, std::string>, std::weak_ptr<const Instance>> instances_;
  PlacesWhere<config::Route> users_;  // the routes that have plugins
};

}  // namespace hangu::plugin
