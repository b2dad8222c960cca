#include "config/file_path.h"

#include <fmt/format.h>

#include "config/rules.h"
#include "config/scalar_types.h"
#include "config/text.h"

namespace hangu::config {

std::optional<std::string> read_absolute_path(Reader& reader, const Node& node,
                                              std::string_view code) {
  std::string path;
  const size_t errors_before = reader.error_count();
  TextType<std::string>(kFilePathRule).read(reader, node, &path);
  if (reader.error_count() != errors_before) {
    return std::nullopt;
  }
  if (!path.starts_with('/')) {
    reader.error(node.mark, {code, fmt::format("{} is not an absolute path", quoted(path)),
                             "the process may be started in any directory"});
    return std::nullopt;
  }
  return path;
}

}  // namespace hangu::config
