// Library: one version of a plugin, mapped, checked and initialised; Instance: what it made of the
// config of a use in a route. A library is never unmapped: a thread, a destructor or a timer of its
// own may still be in it. Made on the control thread; shards call it through filter/plugin_filter.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/plugin.h"
#include "hangu/plugin/image.h"
#include "hangu/plugin/ticks.h"
#include "hangu/stats/plugin_stats.h"

namespace hangu::plugin {

/// What a library is made for.
struct LibraryOptions {
  std::string name;             // in the config
  const hangu_host* functions;  // those of streams; the rest is filled in here
  uint32_t workers = 0;         // 0: a config is being checked
  std::shared_ptr<stats::PluginStats> stats;
  Ticks ticks;
};

/// What a plugin says of its config.
struct Complaint {
  std::string pointer;
  std::string message;
};

/// As its code, which is never unmapped, it stays as long as the process: a plugin may have threads
/// that call its host at any time.
class Library {
 public:
  /// Maps `file`, which holds the image. The error begins with the plugin's name.
  static Result<const Library*, std::string> load(const std::string& file, const Image& image,
                                                  LibraryOptions options);

  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const std::string& name() const { return options_.name; }

  const std::string& sha256() const { return sha256_; }

  const std::string& signed_by() const { return signed_by_; }

  /// What the author calls it.
  std::string_view title() const { return api_.name; }

  std::string_view version() const { return api_.version; }

  const hangu_plugin& api() const { return api_; }

  const hangu_host& host() const { return host_.table; }

  stats::PluginStats& stats() const { return *options_.stats; }

  const Ticks& ticks() const { return options_.ticks; }

 private:
  /// The table with whose it is behind it.
  struct Host {
    hangu_host table;
    const Library* owner;
  };

  Library(const hangu_plugin& api, const Image& image, LibraryOptions options);

  static const Library* keep(std::unique_ptr<Library> library);
  static const Library& owner_of(const hangu_host* host);
  static void* allocate(const hangu_host* host, size_t bytes);
  static void deallocate(const hangu_host* host, void* memory);
  static void log(const hangu_host* host, int level, hangu_text message);

  hangu_plugin api_;
  LibraryOptions options_;
  std::string sha256_;
  std::string signed_by_;
  Host host_;
  const Library* before_ = nullptr;  // that was loaded
};

class Instance {
 public:
  using Made = Result<std::shared_ptr<const Instance>, std::vector<Complaint>>;

  static Made configure(const Library& library, const std::string& json);

  Instance(const Library& library, void* object)
      : library_(library),
        object_(object) {}

  ~Instance();

  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const Library& library() const { return library_; }

  void* object() const { return object_; }

 private:
  const Library& library_;
  void* object_;
};

/// Why a descriptor is of no use to this hangu; empty: it is.
std::string refusal_of(const hangu_plugin& descriptor);

}  // namespace hangu::plugin
