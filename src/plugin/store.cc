#include "hangu/plugin/store.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "hangu/base/assert.h"
#include "hangu/base/log.h"

#include "plugin/image_file.h"

namespace hangu::plugin {
namespace {

/// The place of the part that a complaint is about, or of the part nearest to it from above.
config::SourcePlace place_of(const config::PluginConfig& config, std::string_view pointer) {
  for (;;) {
    for (const config::PluginPlace& place : config.places) {
      if (place.pointer == pointer) {
        return place.place;
      }
    }
    if (pointer.empty()) {
      return {};
    }
    const size_t slash = pointer.rfind('/');
    pointer = pointer.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
}

void complain(const std::vector<Complaint>& complaints, const config::Route& route,
              const config::PluginUse& use, const std::string& plugin, Problems& problems) {
  for (const Complaint& complaint : complaints) {
    problems.push_back(
        {.place = place_of(use.config, complaint.pointer),
         .in_config = true,
         .message = fmt::format("route \"{}\": plugin \"{}\": {}{}{}", route.name, plugin,
                                complaint.pointer, complaint.pointer.empty() ? "" : ": ",
                                complaint.message)});
  }
}

const config::Plugin* find_plugin(const config::Config& config, std::string_view name) {
  const auto found = std::find_if(config.plugins.begin(), config.plugins.end(),
                                  [name](const config::Plugin& each) { return each.name == name; });
  return found != config.plugins.end() ? &*found : nullptr;
}

Failure<Problems> failure(config::SourcePlace place, std::string message) {
  return {{Problem{.place = place, .in_config = false, .message = std::move(message)}}};
}

Failure<Problems> no_such(std::string_view plugin) {
  return failure({}, fmt::format("no plugin is called \"{}\"", plugin));
}

}  // namespace

std::string to_string(const Problems& problems, std::string_view file) {
  std::string text;
  for (const Problem& problem : problems) {
    text += text.empty() ? "" : "; ";
    text += problem.place.line == 0 ? std::string(problem.message)
                                    : fmt::format("{}:{}:{}: {}", file, problem.place.line,
                                                  problem.place.column, problem.message);
  }
  return text;
}

std::shared_ptr<const Instance> Plan::instance(std::string_view plugin,
                                               const std::string& json) const {
  const auto found = instances_.find({std::string(plugin), json});
  HANGU_ASSERT(found != instances_.end());
  return found->second;
}

Store::Stamp Store::stamp_of(const std::string& path) {
  struct stat info {};

  if (::stat(path.c_str(), &info) != 0) {
    return {};
  }
  return {.modified_ns = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec,
          .inode = info.st_ino,
          .bytes = static_cast<uint64_t>(info.st_size)};
}

Result<std::string, std::string> Store::file_for(const Image& image, const std::string& name) {
  if (options_.folder.empty()) {
    return image_in_memory(image);
  }
  std::string path = image_path(options_.folder, name, image.sha256);
  if (auto written = write_image(image, path); !written) {
    return Failure<std::string>{written.error()};
  }
  return path;
}

/// `again`: even what was rolled back from.
Result<const Library*, std::string> Store::load(const config::Plugin& plugin, bool again) {
  const auto failure = [&plugin](const std::string& why) {
    return Failure<std::string>{fmt::format("plugin \"{}\": {}", plugin.name, why)};
  };
  if (!prepared_) {
    prepared_ = true;
    ticks_ = Ticks::measured();
    report_crashes();
  }
  auto image = read_image(plugin);
  if (!image) {
    return failure(image.error());
  }
  const auto entry = entries_.find(plugin.name);
  if (!again && entry != entries_.end() && entry->second.refused == image->sha256) {
    return entry->second.current;
  }
  const Library*& library = libraries_[{plugin.name, image->sha256}];
  if (library == nullptr) {
    const auto file = file_for(*image, plugin.name);
    if (!file) {
      return failure(file.error());
    }
    auto loaded = Library::load(*file, *image,
                                {.name = plugin.name,
                                 .functions = options_.functions,
                                 .workers = options_.workers,
                                 .stats = registry_.plugin(plugin.name),
                                 .ticks = ticks_});
    if (!loaded) {
      return Failure<std::string>{loaded.error()};
    }
    library = *loaded;
  }
  return library;
}

/// Makes what one use in a route needs.
void Store::configure(const config::Config& config, const config::Route& route,
                      const config::PluginUse& use, Plan& plan, Problems& problems) {
  const std::string& name = config.plugins[use.plugin].name;
  auto& made = plan.instances_[{name, use.config.json}];
  if (made != nullptr || use.mode == config::Mode::kOff) {
    return;
  }
  const Library& library = *plan.libraries_.at(name);
  std::weak_ptr<const Instance>& known = instances_[{&library, use.config.json}];
  made = known.lock();
  if (made != nullptr) {
    return;
  }
  auto instance = Instance::configure(library, use.config.json);
  if (!instance) {
    complain(instance.error(), route, use, name, problems);
    return;
  }
  made = std::move(*instance);
  known = made;
}

/// Makes what the routes of the config need.
Result<Plan, Problems> Store::configured(const config::Config& config, Plan plan) {
  const auto has_plugins = [](const config::Route& route) { return !route.plugins.empty(); };
  Problems problems;
  for (const size_t at : users_.update(config.routes, has_plugins)) {
    for (const config::PluginUse& use : config.routes[at].plugins) {
      configure(config, config.routes[at], use, plan, problems);
    }
  }
  std::erase_if(instances_, [](const auto& entry) { return entry.second.expired(); });
  if (!problems.empty()) {
    return Failure<Problems>{std::move(problems)};
  }
  return plan;
}

Result<Plan, Problems> Store::plan(const config::Config& config) {
  Plan plan;
  Problems problems;
  for (const config::Plugin& plugin : config.plugins) {
    auto library = load(plugin, false);
    if (library) {
      plan.libraries_[plugin.name] = *library;
    } else {
      problems.push_back({.place = plugin.place, .in_config = false, .message = library.error()});
    }
  }
  if (!problems.empty()) {
    return Failure<Problems>{std::move(problems)};
  }
  return configured(config, std::move(plan));
}

Plan Store::in_force(const config::Config& config) const {
  Plan plan;
  for (const config::Plugin& plugin : config.plugins) {
    plan.libraries_[plugin.name] = entries_.at(plugin.name).current;
  }
  return plan;
}

Result<Plan, Problems> Store::plan_swap(const config::Config& config, std::string_view plugin,
                                        bool refused_too) {
  const config::Plugin* const named = find_plugin(config, plugin);
  if (named == nullptr) {
    return no_such(plugin);
  }
  auto library = load(*named, refused_too);
  if (!library) {
    return failure({}, library.error());
  }
  Plan plan = in_force(config);
  plan.libraries_[named->name] = *library;
  return configured(config, std::move(plan));
}

Result<Plan, Problems> Store::plan_rollback(const config::Config& config, std::string_view plugin) {
  const config::Plugin* const named = find_plugin(config, plugin);
  if (named == nullptr) {
    return no_such(plugin);
  }
  const Entry& entry = entries_.at(named->name);
  if (entry.earlier.empty()) {
    return failure({}, fmt::format("plugin \"{}\": there was no version before this one", plugin));
  }
  Plan plan = in_force(config);
  plan.libraries_[named->name] = entry.earlier.back();
  plan.rolled_back_ = named->name;
  return configured(config, std::move(plan));
}

std::vector<std::string> Store::changed(const Plan& plan) const {
  std::vector<std::string> names;
  for (const auto& [name, library] : plan.libraries()) {
    const auto entry = entries_.find(name);
    if (entry == entries_.end() || entry->second.current != library) {
      names.push_back(name);
    }
  }
  return names;
}

void Store::commit(const config::Config& config, const Plan& plan, WallTime now) {
  std::erase_if(entries_, [&plan](const auto& entry) {
    return plan.libraries().find(entry.first) == plan.libraries().end();
  });
  for (const config::Plugin& plugin : config.plugins) {
    Entry& entry = entries_[plugin.name];
    const Library* const library = plan.libraries().at(plugin.name);
    if (entry.current == library) {
      continue;
    }
    const bool back = plan.rolled_back_ == plugin.name;
    std::erase(entry.earlier, library);
    entry.refused = back ? entry.current->sha256() : "";
    if (entry.current != nullptr) {
      registry_.plugin(plugin.name)->swaps.fetch_add(1, std::memory_order_relaxed);
      log::info("event=plugin_swapped plugin={} version={} sha256={} before={} rollback={}",
                plugin.name, library->version(), library->sha256(), entry.current->sha256(), back);
      if (!back) {
        entry.earlier.push_back(entry.current);
      }
    }
    if (entry.earlier.size() > kEarlierMax) {
      entry.earlier.erase(entry.earlier.begin());
    }
    entry.current = library;
    entry.since = now;
    entry.error.clear();
    remove_old_files(plugin.name, entry);
  }
}

std::vector<std::string> Store::changed_files(const config::Config& config) {
  std::vector<std::string> names;
  for (const config::Plugin& plugin : config.plugins) {
    Entry& entry = entries_[plugin.name];
    const Stamps stamps{.image = stamp_of(plugin.path),
                        .signature = stamp_of(signature_path(plugin))};
    if (plugin.watch && stamps != entry.stamps && stamps.image != Stamp{}) {
      names.push_back(plugin.name);
    }
    entry.stamps = stamps;
  }
  return names;
}

void Store::note_error(std::string_view plugin, std::string error) {
  if (const auto entry = entries_.find(plugin); entry != entries_.end()) {
    entry->second.error = std::move(error);
  }
}

/// Copies of versions that no rollback would bring back; they stay mapped.
void Store::remove_old_files(const std::string& name, const Entry& entry) const {
  if (options_.folder.empty()) {
    return;
  }
  std::set<std::string> kept = {image_path(options_.folder, name, entry.current->sha256())};
  for (const auto& library : entry.earlier) {
    kept.insert(image_path(options_.folder, name, library->sha256()));
  }
  for (const auto& [key, library] : libraries_) {
    const std::string path = image_path(options_.folder, key.first, key.second);
    if (key.first == name && !kept.contains(path)) {
      std::error_code ignored;
      std::filesystem::remove(path, ignored);
    }
  }
}

std::vector<PluginStatus> Store::status(const config::Config& config) const {
  std::vector<PluginStatus> all;
  for (const config::Plugin& plugin : config.plugins) {
    const auto found = entries_.find(plugin.name);
    if (found == entries_.end() || found->second.current == nullptr) {
      continue;
    }
    const Entry& entry = found->second;
    PluginStatus status{.name = plugin.name,
                        .path = plugin.path,
                        .title = std::string(entry.current->title()),
                        .version = std::string(entry.current->version()),
                        .sha256 = entry.current->sha256(),
                        .signed_by = entry.current->signed_by(),
                        .previous = {},
                        .previous_sha256 = {},
                        .error = entry.error,
                        .since = entry.since};
    if (!entry.earlier.empty()) {
      status.previous = entry.earlier.back()->version();
      status.previous_sha256 = entry.earlier.back()->sha256();
    }
    for (const auto& [key, library] : libraries_) {
      status.versions += key.first == plugin.name && library != nullptr ? 1 : 0;
    }
    for (const auto& [key, instance] : instances_) {
      status.instances += key.first->name() == plugin.name && !instance.expired() ? 1 : 0;
    }
    all.push_back(std::move(status));
  }
  return all;
}

}  // namespace hangu::plugin
