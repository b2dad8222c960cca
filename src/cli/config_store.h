// ConfigStore: the config centre that a config file names, for the verbs of `hangu config` and
// `hangu rollout`.
// Blocking; for the short-lived verbs only.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "hangu/base/result.h"
#include "hangu/config/config.h"
#include "hangu/config/diagnostic.h"
#include "hangu/etcd/client.h"
#include "hangu/fleet/publisher.h"
#include "hangu/fleet/rollout_store.h"

namespace hangu::cli {

class ConfigStore {
 public:
  /// The error says what is wrong with the file.
  static Result<std::unique_ptr<ConfigStore>, std::string> open(const std::string& config_path);

  fleet::Publisher& publisher() { return publisher_; }

  fleet::RolloutStore& rollouts() { return rollouts_; }

  const config::ConfigCenter& options() const { return config_.config_center; }

  const fleet::Trust& trust() const { return trust_; }

  /// Whether a gateway with this file would take the store's documents with these changes; what it
  /// would say of those. Diagnostics of the changes only.
  std::vector<config::Diagnostic> check(const fleet::StoreState& state,
                                        const std::vector<config::Document>& changes) const;

  void wait(Duration duration);

  /// Runs a question to its end.
  template <class T>
  T ask(boost::asio::awaitable<T> question) {
    return run_to_end(std::move(question));
  }

 private:
  template <class T>
  T run_to_end(boost::asio::awaitable<T> question) {
    std::optional<T> answer;
    boost::asio::co_spawn(context_, kept(std::move(question)),
                          [&](const std::exception_ptr& error, std::optional<T> result) {
                            if (!error) {
                              answer = std::move(result);
                            }
                          });
    context_.restart();
    context_.run();
    return answer ? std::move(*answer) : T(Failure<std::string>{"no answer"});
  }

  ConfigStore(config::Config config, fleet::Trust trust);

  /// co_spawn wants what has a default.
  template <class T>
  static boost::asio::awaitable<std::optional<T>> kept(boost::asio::awaitable<T> question) {
    T answer = co_await std::move(question);
    co_return std::optional<T>(std::move(answer));
  }

  config::Config config_;
  fleet::Trust trust_;
  boost::asio::io_context context_{1};
  etcd::Client client_;
  fleet::Publisher publisher_;
  fleet::RolloutStore rollouts_;
};

/// In one file: link-time optimisation takes the frame of a coroutine that two files have for two.
template <>
Result<void, std::string> ConfigStore::ask(
    boost::asio::awaitable<Result<void, std::string>> question);

}  // namespace hangu::cli
