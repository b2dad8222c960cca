#include "hangu/plugin/library.h"

#include <dlfcn.h>

#include <cstddef>
#include <cstdlib>

#include <fmt/format.h>

#include "hangu/base/log.h"
#include "hangu/plugin/crash_report.h"

/// What `hangu_host::problem` writes to.
struct hangu_problems {  // NOLINT(readability-identifier-naming): the interface names it
  std::vector<hangu::plugin::Complaint> complaints;
};

namespace hangu::plugin {
namespace {

constexpr const char* kSymbol = "hangu_plugin_descriptor";
constexpr size_t kComplaintsMax = 100;
constexpr size_t kMessageBytesMax = 1024;
constexpr uint32_t kAllPhases = HANGU_PHASE_REQUEST_HEAD | HANGU_PHASE_REQUEST_BODY |
                                HANGU_PHASE_RESPONSE_HEAD | HANGU_PHASE_RESPONSE_BODY |
                                HANGU_PHASE_STREAM_END | HANGU_PHASE_LOCAL_REPLY;

/// One line of printable characters, whatever a plugin says.
std::string line_of(hangu_text text) {
  std::string line;
  if (text.data != nullptr) {
    line.assign(text.data, std::min(text.size, kMessageBytesMax));
  }
  for (char& c : line) {
    const auto byte = static_cast<unsigned char>(c);
    c = byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  return line;
}

void add_problem(hangu_problems* problems, hangu_text pointer, hangu_text message) {
  if (problems->complaints.size() < kComplaintsMax) {
    problems->complaints.push_back({.pointer = line_of(pointer), .message = line_of(message)});
  }
}

bool has_all_callbacks(const hangu_plugin& plugin) {
  const auto missing = [&plugin](uint32_t phase, bool there) {
    return (plugin.phases & phase) != 0 && !there;
  };
  return !missing(HANGU_PHASE_REQUEST_HEAD, plugin.on_request_head != nullptr) &&
         !missing(HANGU_PHASE_REQUEST_BODY, plugin.on_request_body != nullptr) &&
         !missing(HANGU_PHASE_RESPONSE_HEAD, plugin.on_response_head != nullptr) &&
         !missing(HANGU_PHASE_RESPONSE_BODY, plugin.on_response_body != nullptr) &&
         !missing(HANGU_PHASE_STREAM_END, plugin.on_stream_end != nullptr) &&
         !missing(HANGU_PHASE_LOCAL_REPLY, plugin.on_local_reply != nullptr);
}

/// Before a block of memory: how large it is.
union alignas(alignof(std::max_align_t)) BlockSize {
  size_t bytes;
};

}  // namespace

std::string refusal_of(const hangu_plugin& descriptor) {
  if (descriptor.abi_major != HANGU_PLUGIN_ABI_MAJOR ||
      descriptor.abi_minor > HANGU_PLUGIN_ABI_MINOR) {
    return fmt::format("it was built for plugin interface {}.{}, this hangu has {}.{}",
                       descriptor.abi_major, descriptor.abi_minor, HANGU_PLUGIN_ABI_MAJOR,
                       HANGU_PLUGIN_ABI_MINOR);
  }
  if (descriptor.size != sizeof(hangu_plugin)) {  // 1.0 is the only one so far
    return fmt::format("its descriptor has {} bytes, that of plugin interface {}.{} has {}",
                       descriptor.size, descriptor.abi_major, descriptor.abi_minor,
                       sizeof(hangu_plugin));
  }
  if (descriptor.name == nullptr || descriptor.version == nullptr) {
    return "its descriptor lacks a name or a version";
  }
  if ((descriptor.phases & ~kAllPhases) != 0) {
    return fmt::format("its descriptor names unknown phases ({:#x})", descriptor.phases);
  }
  return has_all_callbacks(descriptor) ? "" : "its descriptor names a phase without its function";
}

Library::Library(const hangu_plugin& api, const Image& image, LibraryOptions options)
    : api_(api),
      options_(std::move(options)),
      sha256_(image.sha256),
      signed_by_(image.signed_by),
      host_{.table = *options_.functions, .owner = this} {
  constexpr std::string_view kVersion = HANGU_VERSION;
  hangu_host& table = host_.table;
  table.size = sizeof(hangu_host);
  table.abi_major = HANGU_PLUGIN_ABI_MAJOR;
  table.abi_minor = HANGU_PLUGIN_ABI_MINOR;
  table.workers = options_.workers;
  table.version = {.data = kVersion.data(), .size = kVersion.size()};
  table.allocate = allocate;
  table.deallocate = deallocate;
  table.log = log;
  table.problem = add_problem;
}

const Library* Library::keep(std::unique_ptr<Library> library) {
  static const Library* last = nullptr;  // the first of a list: nobody lost them
  library->before_ = std::exchange(last, library.get());
  return library.release();
}

Result<const Library*, std::string> Library::load(const std::string& file, const Image& image,
                                                  LibraryOptions options) {
  const std::string name = options.name;
  const auto failure = [&name](std::string_view why) {
    return Failure<std::string>{fmt::format("plugin \"{}\": {}", name, why)};
  };
  Suspect who{.plugin = name.c_str(),
              .version = "-",
              .sha256 = image.sha256.c_str(),
              .phase = "load",
              .route = "-"};
  const Suspicion suspicion(who);
  void* const handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return failure(::dlerror());  // NOLINT(concurrency-mt-unsafe): of this thread
  }
  const auto* descriptor = static_cast<const hangu_plugin*>(::dlsym(handle, kSymbol));
  if (descriptor == nullptr) {
    return failure(fmt::format("it exports no {}: is it a plugin of hangu?", kSymbol));
  }
  if (std::string refusal = refusal_of(*descriptor); !refusal.empty()) {
    return failure(refusal);
  }
  const Library* const library =
      keep(std::unique_ptr<Library>(new Library(*descriptor, image, std::move(options))));
  who.phase = "initialise";
  who.version = descriptor->version;
  if (descriptor->initialise != nullptr && descriptor->initialise(&library->host()) != HANGU_OK) {
    return failure("it could not initialise itself");
  }
  return library;
}

const Library& Library::owner_of(const hangu_host* host) {
  static_assert(offsetof(Host, table) == 0);
  return *reinterpret_cast<const Host*>(host)->owner;
}

void* Library::allocate(const hangu_host* host, size_t bytes) {
  constexpr size_t kMost = size_t{1} << 40;
  void* const memory = bytes <= kMost ? std::malloc(sizeof(BlockSize) + bytes) : nullptr;
  if (memory == nullptr) {
    return nullptr;
  }
  auto* const block = static_cast<BlockSize*>(memory);
  block->bytes = bytes;
  stats::PluginStats& stats = owner_of(host).stats();
  stats.allocations.fetch_add(1, std::memory_order_relaxed);
  stats.allocated_bytes.fetch_add(bytes, std::memory_order_relaxed);
  return block + 1;
}

void Library::deallocate(const hangu_host* host, void* memory) {
  if (memory == nullptr) {
    return;
  }
  auto* const block = static_cast<BlockSize*>(memory) - 1;
  owner_of(host).stats().allocated_bytes.fetch_sub(block->bytes, std::memory_order_relaxed);
  std::free(block);
}

void Library::log(const hangu_host* host, int level, hangu_text message) {
  const log::Level as = level <= HANGU_LOG_DEBUG     ? log::Level::kDebug
                        : level == HANGU_LOG_INFO    ? log::Level::kInfo
                        : level == HANGU_LOG_WARNING ? log::Level::kWarning
                                                     : log::Level::kError;
  if (log::enabled(as)) {
    log::write(as, fmt::format("event=plugin plugin={} message=\"{}\"", owner_of(host).name(),
                               line_of(message)));
  }
}

Instance::Made Instance::configure(const Library& library, const std::string& json) {
  const hangu_plugin& api = library.api();
  hangu_problems problems;
  void* object = nullptr;
  int answer = HANGU_OK;
  if (api.configure != nullptr) {
    const Suspect who{.plugin = library.name().c_str(),
                      .version = api.version,
                      .sha256 = library.sha256().c_str(),
                      .phase = "configure",
                      .route = "-"};
    const Suspicion suspicion(who);
    answer = api.configure(&library.host(), {.data = json.data(), .size = json.size()}, &problems,
                           &object);
  } else if (json != "{}") {
    problems.complaints.push_back({.pointer = "", .message = "this plugin takes no config"});
  }
  if (answer == HANGU_OK && problems.complaints.empty()) {
    return std::shared_ptr<const Instance>(std::make_shared<Instance>(library, object));
  }
  if (answer == HANGU_OK && api.release != nullptr && api.configure != nullptr) {
    api.release(object);
  }
  if (problems.complaints.empty()) {
    problems.complaints.push_back({.pointer = "", .message = "the plugin does not accept it"});
  }
  return Failure<std::vector<Complaint>>{std::move(problems.complaints)};
}

Instance::~Instance() {
  const hangu_plugin& api = library_.api();
  if (api.configure != nullptr && api.release != nullptr) {
    const Suspect who{.plugin = library_.name().c_str(),
                      .version = api.version,
                      .sha256 = library_.sha256().c_str(),
                      .phase = "release",
                      .route = "-"};
    const Suspicion suspicion(who);
    api.release(object_);
  }
}

}  // namespace hangu::plugin
