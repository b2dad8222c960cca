// How a daemon ends: signals that ask for it, the drain, and what is closed in which order.
#include "control/daemon_impl.h"

namespace hangu::control {

void Daemon::Impl::terminate() {
  if (gateway_ != nullptr) {
    record_drain(gateway_->audit_log(), generation_, "signal");
  }
  const config::Shutdown shutdown = config_ == nullptr
                                        ? config::Shutdown{.lb_delay = {}, .drain_timeout = {}}
                                        : config_->shutdown;
  const DrainTimes times{shutdown.lb_delay, shutdown.drain_timeout};
  if (drain_.state() == DrainState::kServing) {
    leave_ = {.within = times.drain_timeout, .ws_spread = shutdown.ws_spread};
    notifier_.stopping("draining", times.lb_delay + times.drain_timeout + kStopMargin);
  }
  carry_out(drain_.on_terminate(times));
}

void Daemon::Impl::fast_stop() {
  if (gateway_ != nullptr) {
    record_drain(gateway_->audit_log(), generation_, "signal");
  }
  if (!neighbours_.left()) {
    notifier_.stopping("stopping", kStopMargin);
  }
  carry_out(drain_.on_fast_stop());
}

void Daemon::Impl::on_signal_after_leaving(int number) {
  if (number == SIGTERM || number == SIGINT) {
    const Duration at_most = config_->shutdown.lb_delay + config_->shutdown.drain_timeout;
    if (drain_timer_.expiry() - monotonic_now() > at_most) {
      wait_for_drain(at_most);
    }
  } else if (number == SIGQUIT) {
    fast_stop();
  } else if (number == SIGUSR1) {
    reopen_logs();
  }
}

void Daemon::Impl::on_drained() {
  if (gateway_ == nullptr || !gateway_->relays_for_others()) {
    carry_out(drain_.on_drained());
    return;
  }
  relay_timer_.expires_after(kRelayPoll);
  relay_timer_.async_wait([this](error_code error) {
    if (!error) {
      on_drained();
    }
  });
}

void Daemon::Impl::carry_out(const DrainStep& step) {
  switch (step.action) {
    case DrainAction::kNone: return;
    case DrainAction::kWaitForBalancer:
      log::info("leaving lb_delay_ms={} hint=\"a second signal skips the delay\"",
                milliseconds_of(step.timer));
      wait_for_drain(step.timer);
      return;
    case DrainAction::kBeginDrain:
      log::info("draining at_most_ms={}", milliseconds_of(step.timer));
      wait_for_drain(step.timer);
      if (center_ != nullptr) {
        center_->leave_fleet();
      }
      if (gateway_ != nullptr) {
        gateway_->begin_drain(leave_);
      }
      return;
    case DrainAction::kStop: stop(); return;
  }
}

void Daemon::Impl::wait_for_drain(Duration at_most) {
  drain_timer_.expires_after(at_most);
  drain_timer_.async_wait([this](error_code error) {
    if (!error) {
      carry_out(drain_.on_timer());
    }
  });
}

void Daemon::Impl::stop() {
  log::info("stopped drained={}", drain_.complete());
  drain_timer_.cancel();
  relay_timer_.cancel();
  reload_timer_.cancel();
  watchdog_rounds_.stop();
  tls_rounds_.stop();
  health_rounds_.stop();
  checker_.stop();
  load_rounds_.stop();
  editor_.reset();
  releases_.stop();
  center_.reset();
  fleet_logouts_->leave();
  gateway_.reset();
  // The process before serves on, tells the fleet itself, and waits for this one to be gone.
  const Duration patience = failed_ ? Duration::zero() : kLogoutsPatience;
  fleet_logouts_->finish(patience, [this] { look_back(); });
}

void Daemon::Impl::look_back() {
  if (!neighbours_.stays_behind()) {
    end();
    return;
  }
  // Signals that have been caught still go to the successor, later ones will be looked for.
  block_asynchronous_signals();
  relay_timer_.expires_after(kSignalPatience);
  relay_timer_.async_wait([this](error_code error) {
    if (!error) {
      end();
    }
  });
}

void Daemon::Impl::end() {
  signals_.stop();
  if (callbacks_.on_stopped) {
    callbacks_.on_stopped();
  } else {
    context_.stop();
  }
}

}  // namespace hangu::control
