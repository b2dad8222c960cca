// `hangu explain`: which route takes a request and why, by the file or by the running process; or
// what an error code means.
#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "hangu/admin/explain.h"
#include "hangu/admin/json.h"
#include "hangu/admin/query.h"
#include "hangu/config/diagnostic.h"

#include "cli/admin_client.h"
#include "cli/config_file.h"
#include "cli/json_fields.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;

bool is_error_code(std::string_view word) {
  const bool letter = !word.empty() && std::string_view("EeWw").find(word[0]) != word.npos;
  return letter && word.size() > 1 && std::all_of(word.begin() + 1, word.end(), [](char byte) {
           return byte >= '0' && byte <= '9';
         });
}

int explain_code(const std::string& code, bool as_json, const Environment& environment) {
  const std::string text = config::explain_error_code(code);
  if (text.empty()) {
    print_error(environment, fmt::format("no error has the code {}", code));
    return kRuntimeFailure;
  }
  if (as_json) {
    environment.out << admin::pretty(json::object{{"code", code}, {"explanation", text}}) << '\n';
  } else {
    environment.out << text << (text.ends_with('\n') ? "" : "\n");
  }
  return kOk;
}

Result<json::object, std::string> ask_process(const AdminAddress& address,
                                              const admin::ExplainRequest& request) {
  std::string path = fmt::format("/explain?method={}&url={}", admin::percent_encode(request.method),
                                 admin::percent_encode(request.url));
  for (const std::string& header : request.headers) {
    path += "&header=" + admin::percent_encode(header);
  }
  if (!request.client.empty()) {
    path += "&client=" + admin::percent_encode(request.client);
  }
  const auto reply = ask_admin(address, {.method = "GET", .path = path});
  if (!reply) {
    return Failure<std::string>{reply.error()};
  }
  json::object body = object_from(reply->body);
  if (reply->status != 200) {
    return Failure<std::string>{text_field(body, "detail")};
  }
  return body;
}

int print(const Result<json::object, std::string>& explanation, const ExplainOptions& options,
          const Environment& environment) {
  if (!explanation) {
    print_error(environment, explanation.error());
    return kRuntimeFailure;
  }
  environment.out << (options.json ? admin::pretty(*explanation) + "\n"
                                   : admin::explanation_text(*explanation, environment.color_out));
  return kOk;
}

}  // namespace

int explain(const ExplainOptions& options, const Environment& environment) {
  if (options.words.size() == 1 && is_error_code(options.words[0])) {
    return explain_code(options.words[0], options.json, environment);
  }
  admin::ExplainRequest request;
  request.method = options.words.size() == 2 ? options.words[0] : "GET";
  request.url = options.words.back();
  request.headers = options.headers;
  request.client = options.client;
  if (!options.target.socket.empty()) {
    const auto address = find_admin(options.target);
    return print(address ? ask_process(*address, request)
                         : Result<json::object, std::string>(Failure<std::string>{address.error()}),
                 options, environment);
  }
  const auto path = find_config(options.target.config);
  if (!path) {
    print_error(environment, path.error(),
                "say --config FILE, or --socket PATH to ask a running hangu");
    return kInvalidConfig;
  }
  const config::LoadResult loaded = config::load_file(*path);
  if (!loaded.config) {
    environment.err << config::format_diagnostics(loaded.diagnostics, environment.color_err);
    return kInvalidConfig;
  }
  return print(admin::explain(*loaded.config, request, {}), options, environment);
}

}  // namespace hangu::cli
