// MailboxGroup: loops that tell one another of something they share: a member posts a number to
// another one's mailbox, which hears it on its own thread. A member that has left hears nothing
// more, so it may go. Cold path: a lock and a system call for each message.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "hangu/event/mailbox.h"

namespace hangu::event {

class GroupMember {
 public:
  virtual void on_group_message(uint32_t message) noexcept = 0;

 protected:
  ~GroupMember() = default;
};

class MailboxGroup {
 public:
  explicit MailboxGroup(uint32_t members)
      : members_(members) {}

  /// On the member's thread. Its mailbox outlives its membership; it has to live as long as the
  /// mailbox runs tasks.
  void join(uint32_t number, GroupMember& member, Mailbox& mailbox);
  /// On the member's thread.
  void leave(uint32_t number);

  /// Any thread. Does nothing when nobody has that number.
  void post(uint32_t number, uint32_t message);
  void post_to_others(uint32_t number, uint32_t message);

 private:
  struct Place {
    GroupMember* member = nullptr;
    Mailbox* mailbox = nullptr;
  };

  void post_locked(const Place& place, uint32_t message);

  std::mutex mutex_;
  std::vector<Place> members_;
};

}  // namespace hangu::event
