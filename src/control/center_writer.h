// CenterWriter: writes documents for the admin API into the config centre, as `hangu config push`
// does, and waits until this gateway has them in force. Where signatures are needed the caller
// brings them: a gateway has no key that could make it trusted. Control thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "hangu/control/config_editor.h"
#include "hangu/etcd/client.h"
#include "hangu/fleet/publisher.h"

namespace hangu::control {

class CenterWriter : public std::enable_shared_from_this<CenterWriter> {
 public:
  CenterWriter(boost::asio::io_context& context, const config::ConfigCenter& center,
               std::shared_ptr<ConfigSource> source, ConfigEditor::Hooks hooks);

  /// Calls `done` unless stop() comes first.
  void write(ConfigEdit edit, std::function<void(EditOutcome)> done);

  void stop() { stopped_ = true; }

 private:
  /// An edit taken apart: bodies to be checked, and what stands around them.
  struct Attempt {
    ConfigEdit edit;
    std::map<std::string, std::string> envelopes;  // that the caller brought
    fleet::StoreState state;
    std::optional<std::vector<config::Document>> changes;
    EditOutcome outcome;
  };

  using AttemptPtr = std::shared_ptr<Attempt>;

  boost::asio::awaitable<EditOutcome> run(ConfigEdit edit);
  boost::asio::awaitable<std::string> read(AttemptPtr attempt);
  boost::asio::awaitable<void> check(AttemptPtr attempt);
  boost::asio::awaitable<bool> catches_up(AttemptPtr attempt);
  boost::asio::awaitable<std::string> push(AttemptPtr attempt);
  boost::asio::awaitable<void> settle(AttemptPtr attempt);
  boost::asio::awaitable<void> pause();

  bool take_envelopes(Attempt& attempt) const;
  bool is_written(const Attempt& attempt) const;
  std::vector<fleet::PushedDocument> documents_of(const Attempt& attempt,
                                                  const fleet::PushOptions& options) const;

  boost::asio::io_context& context_;
  std::shared_ptr<ConfigSource> source_;  // the loader's
  ConfigEditor::Hooks hooks_;
  etcd::Client client_;
  fleet::Publisher publisher_;
  Result<fleet::Trust, std::string> trust_;
  bool stopped_ = false;
};

}  // namespace hangu::control
