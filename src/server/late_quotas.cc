#include "server/late_quotas.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "hangu/base/file_bytes.h"
#include "hangu/base/log.h"
#include "hangu/base/replace_file.h"

namespace hangu::server {
namespace {

constexpr std::string_view kSuffix = ".late-quotas";

bool same_counts(const SavedQuota& one, const SavedQuota& other) {
  return one.name == other.name && one.identity == other.identity && one.seed == other.seed &&
         one.window == other.window;
}

std::optional<std::vector<SavedQuota>> read(const std::filesystem::path& path) {
  const Result<std::string, std::error_code> bytes = read_whole_file(path);
  return bytes ? decode_quotas(*bytes) : std::nullopt;
}

}  // namespace

std::vector<SavedQuota> counted_since(const std::vector<SavedQuota>& before,
                                      const std::vector<SavedQuota>& now) {
  std::vector<SavedQuota> late;
  for (const SavedQuota& quota : now) {
    std::unordered_map<uint64_t, uint64_t> known;
    const auto found = std::find_if(before.begin(), before.end(), [&quota](const SavedQuota& one) {
      return same_counts(one, quota);
    });
    if (found != before.end()) {
      known.insert(found->used.begin(), found->used.end());
    }
    SavedQuota more = quota;
    more.used.clear();
    for (const auto& [key, used] : quota.used) {
      const auto counted = known.find(key);
      const uint64_t had = counted != known.end() ? counted->second : 0;
      if (used > had) {
        more.used.emplace_back(key, used - had);
      }
    }
    if (!more.used.empty()) {
      late.push_back(std::move(more));
    }
  }
  return late;
}

std::error_code leave_late_quotas(const std::string& directory, uint64_t number,
                                  const std::vector<SavedQuota>& late) {
  const std::string path = fmt::format("{}/{}-{}{}", directory, ::getpid(), number, kSuffix);
  return replace_file(path, encode_quotas(late), 0640);
}

std::vector<SavedQuota> take_late_quotas(const std::string& directory) {
  std::vector<SavedQuota> all;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    const std::filesystem::path& path = at->path();
    if (!path.native().ends_with(kSuffix)) {
      continue;
    }
    if (auto late = read(path)) {
      std::move(late->begin(), late->end(), std::back_inserter(all));
    } else {
      log::error("event=quotas_damaged file={} effect=\"what it counted is lost\"", path.native());
    }
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
  return all;
}

}  // namespace hangu::server
