#include "hangu/cli/cli.h"

#include <functional>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "hangu/base/nearest.h"

#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

constexpr const char* kDescription =
    "hangu: an API gateway in one process, configured by one YAML file.\n"
    "New here? `hangu demo` shows it at work.";

constexpr const char* kFooter =
    "Exit codes:\n"
    "  0  ok\n"
    "  1  failure at run time, or \"no\" as an answer (status --ready)\n"
    "  2  wrong usage\n"
    "  3  invalid config\n"
    "  4  reload refused: the running config stays\n"
    "  5  an address cannot be bound\n"
    "\n"
    "Signals of a running hangu: HUP reload, TERM or INT drain (again: skips what it waits for),\n"
    "QUIT stop at once, USR1 reopen logs. Errors go to standard error; NO_COLOR switches colours\n"
    "off.\n"
    "`hangu VERB --help` tells more.";

constexpr const char* kConfigText = "config file [./hangu.yaml, then /etc/hangu/hangu.yaml]";
constexpr const char* kSocketText = "admin socket, or address of the admin endpoint";

using Action = std::function<int()>;

// The parser: one member function a verb, which declares its options and its action.
class CommandLine {
 public:
  explicit CommandLine(const Environment& environment, std::string program)
      : environment_(environment),
        program_(std::move(program)) {
    app_.require_subcommand(1);
    app_.footer(kFooter);
    app_.get_formatter()->column_width(28);
    app_.get_formatter()->label("SUBCOMMAND", "VERB");
    app_.add_flag("-V,--version", show_version_, "Print the version and exit");
    add_run();
    add_check();
    add_reload();
    add_status();
    add_upstream();
    add_certs();
    add_explain();
    add_schema();
    add_demo();
    add_version();
  }

  int run(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
      return print_help();
    } catch (const CLI::ParseError& error) {
      return show_version_ ? version({}, environment_) : report(error, argc, argv);
    }
    return show_version_ ? version({}, environment_) : action_();
  }

 private:
  CLI::App* add_verb(const char* name, const char* description, Action action) {
    CLI::App* verb = app_.add_subcommand(name, description);
    verb->group("Verbs");
    verb->get_formatter()->column_width(28);
    verb->callback([this, action = std::move(action)] { action_ = action; });
    return verb;
  }

  static void add_target(CLI::App& verb, AdminTarget& target) {
    CLI::Option* config = verb.add_option("-c,--config", target.config, kConfigText);
    verb.add_option("-s,--socket", target.socket, kSocketText)->excludes(config);
  }

  void add_run() {
    CLI::App* verb = add_verb("run", "Serve, in the foreground",
                              [this] { return run_gateway(run_, environment_); });
    verb->add_option("-c,--config", run_.config, kConfigText);
    verb->add_option("--event-loop", run_.event_loop, "auto, io_uring or epoll; overrides the file")
        ->type_name("KIND");
    verb->add_option("--workers", run_.workers, "auto or a number; overrides the file")
        ->type_name("N");
  }

  void add_check() {
    CLI::App* verb = add_verb("check", "Validate a config file; exit code 3 when it is not valid",
                              [this] { return check(check_, environment_); });
    verb->add_option("-c,--config,file", check_.config, kConfigText);
    verb->add_flag("--print", check_.print,
                   "Print the effective config: defaults filled in, secrets masked");
    verb->add_flag("--strict", check_.strict, "Take warnings for errors");
    verb->add_flag("--no-files", check_.no_files,
                   "Do not look into certificates and keys: for a config of another machine");
    verb->add_flag("--json", check_.json, "Print the result as JSON");
  }

  void add_reload() {
    CLI::App* verb = add_verb("reload", "Make a running hangu read its config again",
                              [this] { return reload(reload_, environment_); });
    add_target(*verb, reload_.target);
    verb->add_flag("--json", reload_.json, "Print the report as JSON");
  }

  void add_status() {
    CLI::App* verb = add_verb("status", "Show what a running hangu is doing",
                              [this] { return status(status_, environment_); });
    add_target(*verb, status_.target);
    verb->add_flag("--ready", status_.ready, "Only whether it takes traffic: exit code 0 or 1");
    verb->add_flag("--json", status_.json, "Print it as JSON");
  }

  void add_upstream() {
    CLI::App* verb = add_verb("upstream", "Take an endpoint out of use (drain, maint) and back",
                              [this] { return order_endpoint(upstream_, environment_); });
    verb->add_option("order", upstream_.order,
                     "drain: no new clients; maint: no requests, no checks; ready")
        ->required()
        ->check(CLI::IsMember({"drain", "maint", "ready"}))
        ->type_name("");
    verb->add_option("upstream", upstream_.upstream, "Its name")->required()->type_name("");
    verb->add_option("endpoint", upstream_.endpoint, "Its address, as `hangu status` shows it")
        ->required()
        ->type_name("");
    add_target(*verb, upstream_.target);
    verb->add_flag("--json", upstream_.json, "Print the endpoints as JSON");
  }

  void add_certs() {
    CLI::App* verb = add_verb("certs", "List the certificates that are served, and their ends",
                              [this] { return certs(certs_, environment_); });
    add_target(*verb, certs_.target);
    verb->add_flag("--json", certs_.json, "Print it as JSON");
  }

  void add_explain() {
    CLI::App* verb =
        add_verb("explain", "Tell which route takes a request and why, or what an error code means",
                 [this] { return explain(explain_, environment_); });
    verb->add_option("request", explain_.words,
                     "METHOD URL, or URL, or an error code such as E0123")
        ->required()
        ->expected(1, 2)
        ->type_name("");
    verb->add_option("-H,--header", explain_.headers, "A header of the request; may be repeated")
        ->type_name("'NAME: VALUE'")
        ->allow_extra_args(false);
    add_target(*verb, explain_.target);
    verb->add_flag("--json", explain_.json, "Print it as JSON");
  }

  void add_schema() {
    CLI::App* verb = add_verb("schema", "Print the shape of the config as JSON Schema",
                              [this] { return schema(schema_, environment_); });
    verb->add_option("--format", schema_.format,
                     "json, markdown (the reference) or yaml (an example)")
        ->check(CLI::IsMember({"json", "markdown", "yaml"}))
        ->type_name("KIND");
  }

  void add_demo() {
    demo_.program = program_;
    CLI::App* verb = add_verb("demo", "Serve a demo: a gateway in front of a built-in origin",
                              [this] { return demo(demo_, environment_); });
    verb->add_option("-p,--port", demo_.port, "Port of the gateway [8080]")->type_name("PORT");
    verb->add_option("--origin-port", demo_.origin_port, "Port of the origin [9000]")
        ->type_name("PORT");
    verb->add_option("--admin-socket", demo_.admin_socket,
                     "Admin socket [in the runtime directory]")
        ->type_name("PATH");
    verb->add_option("--event-loop", demo_.event_loop, "auto, io_uring or epoll")
        ->type_name("KIND");
    verb->add_flag("--log-requests", demo_.log_requests, "Print a JSON line for each request");
  }

  void add_version() {
    CLI::App* verb = add_verb("version", "Print version, build, libraries and usable event loops",
                              [this] { return version(version_, environment_); });
    verb->add_flag("--json", version_.json, "Print it as JSON");
  }

  int print_help() {
    const auto verbs = app_.get_subcommands();
    environment_.out << (verbs.empty() ? app_.help() : verbs.back()->help("hangu"));
    return kOk;
  }

  int report(const CLI::ParseError& error, int argc, const char* const* argv) {
    if (argc < 2) {
      environment_.err << app_.help();
      return kUsage;
    }
    const auto verbs = app_.get_subcommands();
    if (verbs.empty()) {
      return report_unknown(argv[1], "verb", verb_names());
    }
    const CLI::App& verb = *verbs.back();
    for (const std::string& extra : app_.remaining(true)) {
      if (extra.starts_with('-')) {
        return report_unknown(extra, "option", option_names(verb), verb.get_name());
      }
    }
    print_error(environment_, error.what(),
                fmt::format("`hangu {} --help` shows how it is used", verb.get_name()));
    return kUsage;
  }

  int report_unknown(const std::string& word, std::string_view what,
                     const std::vector<std::string>& known, const std::string& verb = {}) {
    const std::vector<std::string_view> candidates(known.begin(), known.end());
    const std::string_view near = nearest(word.substr(0, word.find('=')), candidates);
    const std::string of = verb.empty() ? "" : fmt::format(" of `hangu {}`", verb);
    const bool option = word.starts_with('-');
    print_error(
        environment_, fmt::format("unknown {}{} \"{}\"", option ? "option" : what, of, word),
        near.empty() ? fmt::format("`hangu {}{}--help` lists them", verb, verb.empty() ? "" : " ")
                     : fmt::format("did you mean \"{}\"?", near));
    return kUsage;
  }

  std::vector<std::string> verb_names() const {
    std::vector<std::string> names = {"--help", "--version"};
    for (const CLI::App* verb : app_.get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(verb->get_name());
    }
    return names;
  }

  static std::vector<std::string> option_names(const CLI::App& verb) {
    std::vector<std::string> names;
    for (const CLI::Option* option : verb.get_options()) {
      for (const std::string& name : option->get_lnames()) {
        names.push_back("--" + name);
      }
    }
    return names;
  }

  const Environment& environment_;
  std::string program_;
  CLI::App app_{kDescription, "hangu"};
  Action action_;
  bool show_version_ = false;
  RunOptions run_;
  CheckOptions check_;
  ReloadOptions reload_;
  StatusOptions status_;
  UpstreamOptions upstream_;
  CertsOptions certs_;
  ExplainOptions explain_;
  SchemaOptions schema_;
  VersionOptions version_;
  DemoOptions demo_;
};

}  // namespace

int run(int argc, const char* const* argv, const Environment& environment) {
  CommandLine command_line(environment, argc > 0 ? argv[0] : "hangu");
  const int code = command_line.run(argc, argv);
  environment.out.flush();
  environment.err.flush();
  return code;
}

}  // namespace hangu::cli
