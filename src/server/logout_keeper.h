// LogoutKeeper: keeps what providers have ended for as long as it counts: in a journal of the state
// directory, for the next process and for another one of the same node, and in memory, for tables
// that are made anew. Shards leave what they hear in a list; a thread of its own takes it from
// there a few times a second, tells of it and writes it. What was heard since then is lost if the
// process is killed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "hangu/filter/oidc_logouts.h"
#include "hangu/identity/logout_entry.h"
#include "hangu/server/logout_status.h"

#include "server/logout_journal.h"

namespace hangu::server {

class LogoutKeeper final : public filter::LogoutListener {
 public:
  using Entries = std::vector<identity::LogoutEntry>;

  /// `heard`: what this node's clients or another process of it have brought, from a thread of the
  /// keeper's; may be empty.
  LogoutKeeper(const std::string& directory, std::function<void(Entries)> heard)
      : heard_hook_(std::move(heard)),
        journal_(directory + "/logouts") {}

  ~LogoutKeeper() { stop(); }

  // LogoutListener: any shard.
  void on_ended(std::span<const identity::LogoutEntry> entries) noexcept override;

  // The rest is the control thread's.

  /// How many entries of a scope there are to be told. The first one asked has the journal read.
  size_t known(const identity::Digest& scope);

  /// Tells it all that is known of its scope, from now on.
  void adopt(const std::shared_ptr<filter::OidcLogouts>& logouts);

  /// What another node has heard.
  void take(const Entries& entries);

  /// Whether anything was adopted.
  bool in_use() const;

  /// What counts, to be told to others.
  Entries all() const;

  LogoutStatus status() const;

  /// Nothing is written before take_over(): the file is another process's.
  void wait() { waiting_ = true; }

  void take_over();

  /// Writes a last time.
  void stop();

 private:
  struct Work {
    Entries append;
    Entries heard;
    bool rewrite = false;
    bool writes = false;  // else another process does
  };

  /// What there is to do about an entry.
  enum class News : uint8_t {
    kNone,  // it was known, or is over
    kKept,
    kInTable,  // there is room for it only there, and it is told if it was heard here
  };

  void load();
  void run();
  void go_round();
  Work collect();
  void write(const Work& work);
  std::error_code write_locked(const Work& work);
  void absorb();
  bool is_all_lost(const Work& work);
  News remember(const identity::LogoutEntry& entry, int64_t now_s);
  void take_news(const Entries& news);
  void forget_old(int64_t now_s);
  void note(std::error_code error);

  std::mutex shards_mutex_;  // held for a few copies only, of shards_heard_
  Entries shards_heard_;

  const std::function<void(Entries)> heard_hook_;

  mutable std::mutex mutex_;  // never across a system call
  std::condition_variable wake_;
  std::unordered_map<identity::Digest, identity::LogoutEntry, identity::DigestHash> entries_;
  std::map<identity::Digest, std::weak_ptr<filter::OidcLogouts>> tables_;  // by scope
  Entries unwritten_;
  Entries untold_;
  uint64_t sessions_ = 0;  // of entries_; else tokens
  uint64_t without_room_ = 0;
  bool loaded_ = false;  // the control thread's
  bool in_use_ = false;
  bool waiting_ = false;
  bool stopping_ = false;
  bool failing_ = false;
  bool rewrite_ = false;

  // The thread's, and before it runs the control thread's.
  LogoutJournal journal_;
  int rounds_ = 0;
  size_t damage_told_ = 0;
  std::thread thread_;
};

}  // namespace hangu::server
