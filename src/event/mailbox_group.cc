#include "hangu/event/mailbox_group.h"

namespace hangu::event {

void MailboxGroup::join(uint32_t number, GroupMember& member, Mailbox& mailbox) {
  const std::lock_guard lock(mutex_);
  members_[number] = {.member = &member, .mailbox = &mailbox};
}

void MailboxGroup::leave(uint32_t number) {
  const std::lock_guard lock(mutex_);
  members_[number] = {};
}

void MailboxGroup::post_locked(const Place& place, uint32_t message) {
  if (GroupMember* member = place.member) {
    place.mailbox->post([member, message] { member->on_group_message(message); });
  }
}

void MailboxGroup::post(uint32_t number, uint32_t message) {
  const std::lock_guard lock(mutex_);
  post_locked(members_[number], message);
}

void MailboxGroup::post_to_others(uint32_t number, uint32_t message) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < members_.size(); ++i) {
    if (i != number) {
      post_locked(members_[i], message);
    }
  }
}

}  // namespace hangu::event
