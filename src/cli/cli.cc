#include "hangu/cli/cli.h"

#include <functional>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "hangu/base/nearest.h"
#include "hangu/control/demo_origin.h"

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
    "  4  reload or upgrade refused: what runs stays as it is\n"
    "  5  an address cannot be bound\n"
    "\n"
    "Signals of a running hangu: HUP reload, TERM or INT drain (again: skips what it waits for),\n"
    "QUIT stop at once, USR1 reopen logs, USR2 upgrade. Errors go to standard error; NO_COLOR "
    "switches colours\n"
    "off.\n"
    "`hangu VERB --help` tells more.";

constexpr const char* kConfigText = "config file [./hangu.yaml, then /etc/hangu/hangu.yaml]";
constexpr const char* kSocketText = "admin socket, or ADDRESS:PORT or https://HOST:PORT";

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
    add_upgrade();
    add_status();
    add_upstream();
    add_release();
    add_certs();
    add_explain();
    add_audit();
    add_plugin();
    add_config();
    add_rollout();
    add_login();
    add_schema();
    add_key();
    add_hash_password();
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
    return add_verb(app_, name, description, std::move(action));
  }

  CLI::App* add_verb(CLI::App& parent, const char* name, const char* description, Action action) {
    CLI::App* verb = parent.add_subcommand(name, description);
    verb->group("Verbs");
    verb->get_formatter()->column_width(28);
    verb->callback([this, action = std::move(action)] { action_ = action; });
    return verb;
  }

  static void add_target(CLI::App& verb, AdminTarget& target) {
    CLI::Option* config = verb.add_option("-c,--config", target.config, kConfigText);
    verb.add_option("-s,--socket", target.socket, kSocketText)->excludes(config);
    verb.add_option("--ca", target.ca, "PEM file: whom to believe https:// [the system's]")
        ->type_name("FILE");
    verb.add_option("--cert", target.certificate, "PEM file with your certificate, for https://")
        ->type_name("FILE");
    verb.add_option("--cert-key", target.key, "PEM file with its key")->type_name("FILE");
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
    verb->add_flag(
        "--no-files", check_.no_files,
        "Do not look into the files it names, such as certificates, secrets and plugins: for "
        "a config of another machine");
    verb->add_flag("--json", check_.json, "Print the result as JSON");
  }

  void add_reload() {
    CLI::App* verb = add_verb("reload", "Make a running hangu read its config again",
                              [this] { return reload(reload_, environment_); });
    add_target(*verb, reload_.target);
    verb->add_flag("--json", reload_.json, "Print the report as JSON");
  }

  void add_upgrade() {
    CLI::App* verb =
        add_verb("upgrade", "Replace a running hangu by its binary as it is now; nobody notices",
                 [this] { return upgrade(upgrade_, environment_); });
    add_target(*verb, upgrade_.target);
    verb->add_option("--binary", upgrade_.binary, "another binary than the one it runs")
        ->type_name("PATH");
    verb->add_flag("--json", upgrade_.json, "Print the result as JSON");
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

  void add_release() {
    CLI::App* release = app_.add_subcommand("release", "See new versions of services through");
    release->group("Verbs");
    release->require_subcommand(1);
    release->get_formatter()->column_width(28);
    release->get_formatter()->label("SUBCOMMAND", "VERB");
    CLI::App* list = add_verb(*release, "list", "Show shares, states and what led to them",
                              [this] { return release_list(release_, environment_); });
    add_release_options(*list);
    CLI::App* status = add_verb(*release, "status", "The same of one route",
                                [this] { return release_status(release_, environment_); });
    add_release_route(*status);
    add_release_order(*release, "pause", "Let its share stay as it is");
    add_release_order(*release, "resume", "Let it go on; one that was rolled back begins again");
    add_release_order(*release, "promote", "Give it all that it is to get, at once");
    add_release_order(*release, "abort", "Send nobody there by weight any more");
  }

  void add_release_order(CLI::App& release, const char* order, const char* description) {
    CLI::App* verb = add_verb(release, order, description, [this, order] {
      release_.order = order;
      return release_order(release_, environment_);
    });
    add_release_route(*verb);
  }

  void add_release_route(CLI::App& verb) {
    verb.add_option("route", release_.route, "The route's name in the config")
        ->required()
        ->type_name("");
    add_release_options(verb);
  }

  void add_release_options(CLI::App& verb) {
    add_target(verb, release_.target);
    verb.add_flag("--json", release_.json, "Print it as JSON");
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
    verb->add_option("--client", explain_.client, "The address that the connection is from")
        ->type_name("ADDRESS");
    add_target(*verb, explain_.target);
    verb->add_flag("--json", explain_.json, "Print it as JSON");
  }

  static void add_log(CLI::App& verb, AuditTarget& log) {
    add_target(verb, log.target);
    verb.add_option("-l,--log", log.log, "The log's file [audit.path of the config]")
        ->type_name("PATH");
  }

  static void add_selection(CLI::App& verb, AuditSelection& selection) {
    verb.add_option("--since", selection.since, "From this time on: 2026-11-26T10:30Z, or 2h ago")
        ->type_name("TIME");
    verb.add_option("--until", selection.until, "Before this time")->type_name("TIME");
    verb.add_option("-w,--where", selection.fields,
                    "Records with this member, such as event=auth.fail or client_ip=10.*")
        ->type_name("MEMBER=VALUE")
        ->allow_extra_args(false);
    verb.add_option("-e,--regex", selection.pattern, "Records that match (RE2)")->type_name("RE");
  }

  void add_audit() {
    CLI::App* audit = app_.add_subcommand("audit", "Verify and read the audit log; make its keys");
    audit->group("Verbs");
    audit->require_subcommand(1);
    audit->get_formatter()->column_width(28);
    audit->get_formatter()->label("SUBCOMMAND", "VERB");
    add_audit_verify(*audit);
    add_audit_grep(*audit);
    add_audit_export(*audit);
    add_audit_keys(*audit);
  }

  void add_audit_verify(CLI::App& audit) {
    CLI::App* verb = add_verb(audit, "verify", "Find whatever was changed, removed, moved, cut off",
                              [this] { return audit_verify(audit_verify_, environment_); });
    add_log(*verb, audit_verify_.log);
    verb->add_option("-k,--public-key", audit_verify_.public_key,
                     "PEM file; checks who signed the checkpoints")
        ->type_name("FILE");
    verb->add_option("--checkpoints", audit_verify_.checkpoints,
                     "Checkpoints that were shipped to another machine")
        ->type_name("FILE");
    verb->add_flag("--json", audit_verify_.json, "Print the result as JSON");
  }

  void add_audit_grep(CLI::App& audit) {
    CLI::App* verb = add_verb(audit, "grep", "Print records; exit code 1 when there is none",
                              [this] { return audit_grep(audit_grep_, environment_); });
    verb->add_option("text", audit_grep_.selection.texts, "Text that the record holds")
        ->type_name("");
    add_log(*verb, audit_grep_.log);
    add_selection(*verb, audit_grep_.selection);
    verb->add_flag("-f,--follow", audit_grep_.follow, "Go on with what is written from now on");
    verb->add_flag("--count", audit_grep_.count, "Print only how many there are");
  }

  void add_audit_export(CLI::App& audit) {
    CLI::App* verb = add_verb(audit, "export", "Write records as one JSON array or as CSV",
                              [this] { return audit_export(audit_export_, environment_); });
    add_log(*verb, audit_export_.log);
    add_selection(*verb, audit_export_.selection);
    verb->add_option("--format", audit_export_.format, "json or csv")
        ->check(CLI::IsMember({"json", "csv"}))
        ->type_name("KIND");
    verb->add_option("-o,--out", audit_export_.out, "File that does not exist [standard output]")
        ->type_name("FILE");
  }

  void add_audit_keys(CLI::App& audit) {
    CLI::App* keygen = add_verb(audit, "keygen", "Make a key that signs checkpoints",
                                [this] { return audit_keygen(audit_keygen_, environment_); });
    keygen->add_option("file", audit_keygen_.out, "Where the key goes; must not exist")
        ->required()
        ->type_name("FILE");
    keygen
        ->add_option("--public", audit_keygen_.public_out,
                     "Where its public part goes [the file with .pub]")
        ->type_name("FILE");
    CLI::App* key = add_verb(audit, "key", "Print the public part of a key",
                             [this] { return audit_key(audit_key_, environment_); });
    key->add_option("file", audit_key_.file, "The key's file")->required()->type_name("FILE");
  }

  void add_config() {
    CLI::App* config =
        app_.add_subcommand("config", "Elements of the config, of a fleet or of one gateway");
    config->group("Verbs");
    config->require_subcommand(1);
    config->get_formatter()->column_width(28);
    config->get_formatter()->label("SUBCOMMAND", "VERB");
    CLI::App* push =
        add_document_verb(*config, "push", "Write elements of files, after a check", config_push);
    push->add_option("files", change_.files, "With `routes:`, `upstreams:` and so on")
        ->type_name("");
    push->add_option("--remove", change_.removals, "Remove this document, such as routes/users")
        ->type_name("KEY");
    push->add_flag("--prune", change_.prune, "Remove what the files do not have");
    push->add_flag("-n,--dry-run", change_.dry_run, "Only show what would change");
    push->add_option("--if-generation", change_.expected_generation,
                     "Only if nobody has pushed since this one")
        ->type_name("NUMBER");
    push->add_flag("--rollout", change_.by_rollout,
                   "To some nodes first, as `config_center.rollout` says");
    add_config_change(*push);
    CLI::App* get = add_document_verb(*config, "get", "List documents, or print one", config_get);
    get->add_option("document", change_.document, "Its key, such as routes/users")->type_name("");
    CLI::App* history =
        add_config_verb(*config, "history", "List pushes, or show one", config_history);
    history->add_option("generation", change_.generation, "Its number")->type_name("");
    history->add_option("-n,--lines", change_.at_most, "How many [20]")->type_name("NUMBER");
    CLI::App* rollback = add_config_verb(*config, "rollback",
                                         "Bring back what stood at a generation", config_rollback);
    rollback->add_option("generation", change_.generation, "Its number")->type_name("")->required();
    rollback->add_flag("-n,--dry-run", change_.dry_run, "Only show what would change");
    add_config_change(*rollback);
    CLI::App* approve = add_config_verb(*config, "approve",
                                        "List what waits for approval, or sign it", config_approve);
    approve->add_option("proposal", change_.proposal, "Its id")->type_name("");
    approve->add_option("-k,--key", change_.key, "PEM file with your Ed25519 key")
        ->type_name("FILE");
  }

  void add_rollout() {
    CLI::App* rollout = app_.add_subcommand("rollout", "A push that reaches the fleet by and by");
    rollout->group("Verbs");
    rollout->require_subcommand(1);
    rollout->get_formatter()->column_width(28);
    rollout->get_formatter()->label("SUBCOMMAND", "VERB");
    CLI::App* status = add_rollout_verb(
        *rollout, "status", "Show how far it is, and how nodes do with it", rollout_status);
    status->add_flag("-f,--follow", rollout_.follow, "Until it is over; exit code 1: taken back");
    status->add_flag("--json", rollout_.json, "Print it as JSON");
    add_rollout_verb(*rollout, "pause", "Keep it at its stage", rollout_pause);
    add_rollout_verb(*rollout, "resume", "Let it go on, also what the guard held", rollout_resume);
    add_rollout_verb(*rollout, "abort", "Take it back", rollout_abort);
  }

  using RolloutVerb = int (*)(const RolloutOptions&, const Environment&);

  CLI::App* add_rollout_verb(CLI::App& parent, const char* name, const char* description,
                             RolloutVerb verb) {
    CLI::App* made =
        add_verb(parent, name, description, [this, verb] { return verb(rollout_, environment_); });
    made->add_option("-c,--config", rollout_.config, kConfigText);
    return made;
  }

  using ConfigVerb = int (*)(const ConfigChangeOptions&, const Environment&);

  /// Of those that ask a gateway where there is no config centre.
  CLI::App* add_document_verb(CLI::App& parent, const char* name, const char* description,
                              ConfigVerb verb) {
    CLI::App* made =
        add_verb(parent, name, description, [this, verb] { return verb(change_, environment_); });
    add_target(*made, change_.target);
    return made;
  }

  CLI::App* add_config_verb(CLI::App& parent, const char* name, const char* description,
                            ConfigVerb verb) {
    CLI::App* made =
        add_verb(parent, name, description, [this, verb] { return verb(change_, environment_); });
    made->add_option("-c,--config", change_.target.config, kConfigText);
    return made;
  }

  void add_config_change(CLI::App& verb) {
    verb.add_option("-k,--key", change_.key, "PEM file with the Ed25519 key to sign with")
        ->type_name("FILE");
    verb.add_option("-a,--author", change_.author, "Who it is [the user]")->type_name("NAME");
    verb.add_option("-m,--message", change_.message, "Why")->type_name("TEXT");
  }

  void add_plugin() {
    CLI::App* plugin = app_.add_subcommand("plugin", "List plugins, swap them while they work");
    plugin->group("Verbs");
    plugin->require_subcommand(1);
    plugin->get_formatter()->column_width(28);
    plugin->get_formatter()->label("SUBCOMMAND", "VERB");
    CLI::App* list = add_verb(*plugin, "list", "Show versions, calls, time and errors",
                              [this] { return plugin_list(plugin_, environment_); });
    add_target(*list, plugin_.target);
    list->add_flag("--json", plugin_.json, "Print it as JSON");
    add_plugin_change(*plugin, "swap", "Take what the plugin's file holds now");
    add_plugin_change(*plugin, "rollback", "Go back to the version before");
    add_plugin_tools(*plugin);
  }

  void add_plugin_tools(CLI::App& plugin) {
    CLI::App* make = add_verb(plugin, "new", "Write the skeleton of a plugin, with a test",
                              [this] { return plugin_new(plugin_new_, environment_); });
    make->add_option("name", plugin_new_.name, "Its name")->required()->type_name("");
    make->add_option("--folder", plugin_new_.folder, "Where to; must be empty [the name]")
        ->type_name("FOLDER");
    CLI::App* sign = add_verb(plugin, "sign", "Sign a plugin's file, for `trusted_keys`",
                              [this] { return plugin_sign(plugin_sign_, environment_); });
    sign->add_option("file", plugin_sign_.file, "The shared object")->required()->type_name("");
    sign->add_option("-k,--key", plugin_sign_.key, "PEM file with the Ed25519 key")
        ->required()
        ->type_name("FILE");
    sign->add_option("-o,--out", plugin_sign_.out, "Where the signature goes [the file with .sig]")
        ->type_name("FILE");
  }

  void add_plugin_change(CLI::App& plugin, const char* change, const char* description) {
    CLI::App* verb = add_verb(plugin, change, description, [this, change] {
      plugin_.change = change;
      return plugin_change(plugin_, environment_);
    });
    verb->add_option("name", plugin_.name, "The plugin's name in the config")
        ->required()
        ->type_name("");
    add_target(*verb, plugin_.target);
    verb->add_flag("--json", plugin_.json, "Print it as JSON");
  }

  void add_login() {
    CLI::App* in = add_verb("login", "Tell the admin API who you are; reads a password",
                            [this] { return login(login_, environment_); });
    in->add_option("name", login_.name, "An administrator of the config")
        ->required()
        ->type_name("NAME");
    add_target(*in, login_.target);
    CLI::App* out =
        add_verb("logout", "End that session", [this] { return logout(login_, environment_); });
    add_target(*out, login_.target);
  }

  void add_schema() {
    CLI::App* verb = add_verb("schema", "Print the shape of the config as JSON Schema",
                              [this] { return schema(schema_, environment_); });
    verb->add_option("--format", schema_.format,
                     "json, markdown (the reference), yaml (an example) or openapi (the admin "
                     "API)")
        ->check(CLI::IsMember({"json", "markdown", "yaml", "openapi"}))
        ->type_name("KIND");
  }

  void add_key() {
    CLI::App* verb = add_verb("key", "Make an API key, and its digest for the config",
                              [this] { return key(key_, environment_); });
    verb->add_option("--id", key_.id, "Name of the key, for logs [key]")->type_name("NAME");
    verb->add_option("--hash", key_.hash, "sha256 or sm3")
        ->check(CLI::IsMember({"sha256", "sm3"}))
        ->type_name("KIND");
  }

  void add_hash_password() {
    add_verb("hash-password", "Read a password from standard input, print its hash for the config",
             [this] { return hash_password(environment_); });
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
    verb->add_flag("--origin-only", demo_.origin_only, "Only the origin, for a gateway elsewhere");
    verb->add_option("--origin-version", demo_.origin_version, "What it says in `x-version`")
        ->type_name("TEXT");
    verb->add_option("--origin-fail", demo_.origin_fail_percent,
                     "Percent of requests that it fails; /faults changes it")
        ->check(CLI::Range(0, 100))
        ->type_name("NUMBER");
    verb->add_option("--origin-delay", demo_.origin_delay_ms, "Milliseconds before each answer")
        ->check(CLI::Range(0U, control::DemoOrigin::kDelayMsMax))
        ->type_name("NUMBER");
  }

  void add_version() {
    CLI::App* verb = add_verb("version", "Print version, build, libraries and usable event loops",
                              [this] { return version(version_, environment_); });
    verb->add_flag("--json", version_.json, "Print it as JSON");
  }

  /// The verb that was named, the innermost one; nullptr: none.
  const CLI::App* named_verb() const {
    const CLI::App* named = nullptr;
    for (auto verbs = app_.get_subcommands(); !verbs.empty(); verbs = named->get_subcommands()) {
      named = verbs.back();
    }
    return named;
  }

  static std::string full_name(const CLI::App& verb) {
    const CLI::App* parent = verb.get_parent();
    const bool nested = parent != nullptr && parent->get_parent() != nullptr;
    return (nested ? parent->get_name() + " " : "") + verb.get_name();
  }

  static std::string parent_name(const CLI::App& verb) { return verb.get_parent()->get_name(); }

  int print_help() {
    const CLI::App* verb = named_verb();
    const bool nested = verb != nullptr && full_name(*verb) != verb->get_name();
    environment_.out << (verb == nullptr ? app_.help()
                                         : verb->help(nested ? "hangu " + parent_name(*verb)
                                                             : std::string("hangu")));
    return kOk;
  }

  int report(const CLI::ParseError& error, int argc, const char* const* argv) {
    if (argc < 2) {
      environment_.err << app_.help();
      return kUsage;
    }
    const CLI::App* named = named_verb();
    if (named == nullptr) {
      return report_unknown(argv[1], "verb", verb_names());
    }
    const CLI::App& verb = *named;
    for (const std::string& extra : app_.remaining(true)) {
      if (extra.starts_with('-')) {
        return report_unknown(extra, "option", option_names(verb), full_name(verb));
      }
    }
    print_error(environment_, error.what(),
                fmt::format("`hangu {} --help` shows how it is used", full_name(verb)));
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
  UpgradeOptions upgrade_;
  LoginOptions login_;
  StatusOptions status_;
  UpstreamOptions upstream_;
  ReleaseOptions release_;
  CertsOptions certs_;
  ExplainOptions explain_;
  AuditVerifyOptions audit_verify_;
  AuditGrepOptions audit_grep_;
  AuditExportOptions audit_export_;
  AuditKeygenOptions audit_keygen_;
  AuditKeyOptions audit_key_;
  PluginOptions plugin_;
  ConfigChangeOptions change_;
  RolloutOptions rollout_;
  PluginNewOptions plugin_new_;
  PluginSignOptions plugin_sign_;
  SchemaOptions schema_;
  KeyOptions key_;
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
