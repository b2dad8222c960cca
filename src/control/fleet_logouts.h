// FleetLogouts: carries what providers have ended between this node and the others of its fleet, by
// way of the store of the config centre: puts what was heard here, below a lease that lasts as long
// as it counts, and follows what others have put. What the store cannot be told now waits. Control
// thread, but for what listener() gives.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "hangu/config/config.h"
#include "hangu/control/logout_sharing.h"
#include "hangu/etcd/client.h"
#include "hangu/identity/logout_entry.h"
#include "hangu/server/gateway.h"

#include "control/etcd_follower.h"

namespace hangu::control {

class FleetLogouts : public std::enable_shared_from_this<FleetLogouts> {
 public:
  using Entries = std::vector<identity::LogoutEntry>;

  static constexpr size_t kWaitingMax = 65'536;

  explicit FleetLogouts(boost::asio::io_context& context)
      : context_(context),
        timer_(context) {}

  /// By a config without a fleet there is nothing to do. What server::Callbacks want: for any
  /// thread; it may outlive the object.
  std::function<void(Entries)> open(const config::Config& config);

  void begin(server::Gateway& gateway);

  /// The gateway goes: nothing is followed any more.
  void leave();

  /// Then: tells the store what is still to be told, `done` on the control thread, at once if there
  /// is no fleet, or after `at_most`. What the store cannot be told is told by the next process.
  void finish(Duration at_most, std::function<void()> done);

  /// At once; nobody is told.
  void stop();

  LogoutSharing status() const;

 private:
  struct Lease {
    int64_t id = 0;
    int64_t until_s = 0;
  };

  /// What is put in one transaction.
  struct Batch {
    std::vector<std::string> names;
    std::vector<etcd::Operation> operations;
  };

  void end();
  EtcdFollower::Hooks follower_hooks();
  void tell(const Entries& entries);
  void take_all(std::vector<etcd::KeyValue> all);
  void take_events(const std::vector<etcd::Event>& events);
  bool read(const etcd::KeyValue& key, Entries& out);
  void look_whether_to_follow();
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<std::string> put_waiting();
  boost::asio::awaitable<std::string> grant(int64_t until_s);
  const Lease* lease_for(int64_t until_s) const;
  void drop_over();
  Batch batch_for(const Lease& lease) const;
  void note(const std::string& error);
  void note_put(const Batch& batch);

  boost::asio::io_context& context_;
  std::string prefix_;
  std::shared_ptr<etcd::Client> client_;  // nullptr: there is no fleet
  std::unique_ptr<EtcdFollower> follower_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer finish_timer_{context_};
  std::function<void()> finished_;
  server::Gateway* gateway_ = nullptr;                    // nullptr: it has gone
  std::map<std::string, identity::LogoutEntry> waiting_;  // by name
  std::vector<Lease> leases_;
  std::string error_;  // of what was put last
  uint64_t shared_ = 0;
  uint64_t overflows_ = 0;
  bool overflowed_ = false;  // since everything was last compared
  bool unreadable_told_ = false;
  bool follows_ = false;
  bool finishing_ = false;
  bool tried_last_ = false;
  bool stopped_ = false;
};

}  // namespace hangu::control
