// `hangu schema`: the config's shape, from the table the loader itself uses.
#include "hangu/admin/openapi.h"
#include "hangu/config/reference.h"

#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {

int schema(const SchemaOptions& options, const Environment& environment) {
  std::string text;
  if (options.format == "markdown") {
    text = config::config_markdown();
  } else if (options.format == "yaml") {
    text = config::reference_yaml();
  } else if (options.format == "openapi") {
    text = admin::openapi_text();
  } else {
    text = config::json_schema();
  }
  environment.out << text << (text.ends_with('\n') ? "" : "\n");
  return kOk;
}

}  // namespace hangu::cli
