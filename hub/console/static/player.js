// Plays every recording of a lesson in step. One clock runs in session time; each screen finds the part that
// holds this moment and is held to it: a small drift by playing a little faster or slower, a large one by a jump.

const JUMP_S = 0.5; // beyond this a screen is put to its place
const FAR_S = 0.08; // beyond this it is nudged
const NEAR_S = 0.02; // until it is this near: each change of speed can be heard, so there are few
const TICK_MS = 100;
const STALL_MS = 8000; // a part that gives nothing for this long no longer holds the others up

const root = document.getElementById("player");
const total = Number(root.dataset.seconds);
const playButton = document.getElementById("play");
const seekBar = document.getElementById("seek");
const timeText = document.getElementById("time");
const speedBox = document.getElementById("speed");

function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (part) => String(part).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  return `${hours ? `${hours}:` : ""}${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

class Clock {
  t = 0;
  playing = false;
  speed = 1;
  #at = performance.now();

  advance(held) {
    const now = performance.now();
    if (this.playing && !held) this.t = Math.min(total, this.t + ((now - this.#at) / 1000) * this.speed);
    this.#at = now;
  }
}

class Screen {
  constructor(figure, clips) {
    this.video = figure.querySelector("video");
    this.veil = figure.querySelector(".veil");
    this.clips = clips;
    this.clip = null;
    this.broken = false;
    this.frame = null;
    this.waitingSince = 0;
    this.nudged = 0;
    const sound = figure.querySelector("[data-sound]");
    if (sound) sound.addEventListener("change", () => (this.video.muted = !sound.checked));
    else this.video.muted = true;
    this.video.addEventListener("error", () => (this.broken = true));
    this.#watchFrames();
  }

  // What is on the screen now: from the last presented picture where the browser tells, else from currentTime.
  #watchFrames() {
    if (!this.video.requestVideoFrameCallback) return;
    const seen = (_now, about) => {
      this.frame = { media: about.mediaTime, at: about.expectedDisplayTime };
      this.video.requestVideoFrameCallback(seen);
    };
    this.video.requestVideoFrameCallback(seen);
  }

  position() {
    const now = performance.now();
    const shown = this.frame;
    if (!shown || this.video.paused || now - shown.at > 300) return this.video.currentTime;
    return shown.media + ((now - shown.at) / 1000) * this.video.playbackRate;
  }

  find(t) {
    return this.clips.find((clip) => t >= clip.start_t && t < clip.start_t + clip.seconds) ?? null;
  }

  choose(t) {
    const clip = this.find(t);
    if (clip === this.clip) return;
    this.clip = clip;
    this.frame = null;
    this.broken = false;
    if (clip) {
      this.video.src = clip.url;
      this.video.currentTime = Math.max(0, t - clip.start_t);
    } else this.video.pause();
  }

  // Whether the others must wait for this one.
  holds() {
    const waits = this.clip !== null && !this.broken && (this.video.readyState < 3 || this.video.seeking);
    if (!waits) this.waitingSince = 0;
    else if (!this.waitingSince) this.waitingSince = performance.now();
    return waits && performance.now() - this.waitingSince < STALL_MS;
  }

  nudge(drift) {
    const size = Math.abs(drift);
    if (size > FAR_S) this.nudged = -Math.sign(drift) * (size > 2 * FAR_S ? 0.1 : 0.05);
    else if (size < NEAR_S || Math.sign(drift) === Math.sign(this.nudged)) this.nudged = 0;
    return this.nudged;
  }

  follow(clock, held) {
    const words = this.veil.dataset;
    const say = !this.clip ? words.none : this.broken ? words.broken : this.video.readyState < 2 ? words.loading : "";
    this.veil.textContent = say;
    this.veil.hidden = !say;
    if (!this.clip || this.broken) return;
    const want = clock.t - this.clip.start_t;
    const drift = this.position() - want;
    if (Math.abs(drift) > JUMP_S && !this.video.seeking) {
      this.frame = null;
      this.video.currentTime = Math.max(0, want);
    }
    const rate = clock.speed * (1 + this.nudge(drift));
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
    const run = clock.playing && !held;
    if (run && this.video.paused && !this.video.ended) this.video.play().catch(() => (clock.playing = false));
    if (!run && !this.video.paused) this.video.pause();
  }

  jump(t) {
    this.choose(t);
    if (this.clip) this.video.currentTime = Math.max(0, t - this.clip.start_t);
    this.frame = null;
  }
}

const clock = new Clock();
let screens = [];

function goTo(t) {
  clock.t = Math.max(0, Math.min(total, t));
  for (const screen of screens) screen.jump(clock.t);
  show();
}

function show() {
  seekBar.value = clock.t;
  seekBar.setAttribute("aria-valuetext", span(clock.t));
  timeText.textContent = `${span(clock.t)} / ${span(total)}`;
  playButton.textContent = clock.playing ? playButton.dataset.pause : playButton.dataset.play;
  for (const line of root.querySelectorAll(".now")) {
    line.setAttribute("x1", clock.t);
    line.setAttribute("x2", clock.t);
  }
  root.dispatchEvent(new CustomEvent("lesson-time", { detail: clock.t }));
}

function step() {
  for (const screen of screens) screen.choose(clock.t);
  const held = screens.map((screen) => screen.holds()).some(Boolean);
  clock.advance(held);
  if (clock.t >= total) clock.playing = false;
  for (const screen of screens) screen.follow(clock, held);
  show();
}

playButton.addEventListener("click", () => {
  if (!clock.playing && clock.t >= total - 0.05) goTo(0);
  clock.playing = !clock.playing;
  step();
});
seekBar.addEventListener("input", () => goTo(Number(seekBar.value)));
root.addEventListener("lesson-go", (event) => goTo(event.detail)); // other modules of the page ask for a moment so
speedBox.addEventListener("change", () => (clock.speed = Number(speedBox.value)));
for (const lane of root.querySelectorAll(".lane svg")) {
  lane.addEventListener("click", (event) => {
    const box = lane.getBoundingClientRect();
    goTo(((event.clientX - box.left) / box.width) * total);
  });
}

const lesson = await (await fetch(root.dataset.playback)).json();
screens = [...root.querySelectorAll("[data-room]")].map((figure) => {
  const room = lesson.rooms.find((one) => one.room === figure.dataset.room);
  const track = room.tracks.find((one) => one.track === figure.dataset.track);
  return new Screen(figure, track.clips);
});
goTo(Number(new URLSearchParams(location.search).get("t")) || 0); // a link may lead into the lesson
setInterval(step, TICK_MS);
