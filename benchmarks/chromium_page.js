// One receiving room in a page: offers, speaks, shows what comes, and remembers what was presented and how the sound
// fared. What it remembers is sent nowhere; benchmarks/chromium.py asks for it.
"use strict";

const BITS = 32, BLOCK = 16; // of benchmarks/picture.py
const STATS_MS = 100;
const room = { pc: null, pictures: [], figures: [] };

const strip = new OffscreenCanvas(BITS * BLOCK, BLOCK).getContext("2d", { willReadFrequently: true });

/** The number painted into the strip at the top of the picture that the element shows now. */
function painted(video, paintedWidth) {
  const scale = video.videoWidth / paintedWidth;
  strip.drawImage(video, 0, 0, BITS * BLOCK * scale, BLOCK * scale, 0, 0, BITS * BLOCK, BLOCK);
  const rows = BLOCK / 2;
  const { data } = strip.getImageData(0, BLOCK / 4, BITS * BLOCK, rows);
  let number = 0;
  for (let bit = 0; bit < BITS; bit++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += data[4 * ((row * BITS + bit) * BLOCK + BLOCK / 2)];
    if (sum / rows > 125) number += 2 ** bit;
  }
  return number;
}

/** Notes each presented picture: [time, number painted, pictures presented so far, width]. */
function watch(video, paintedWidth) {
  const presented = (_now, picture) => {
    const at = performance.now();
    room.pictures.push([at, painted(video, paintedWidth), picture.presentedFrames, picture.width]);
    video.requestVideoFrameCallback(presented);
  };
  video.requestVideoFrameCallback(presented);
}

/** Notes what the browser counts of each incoming track: [time, {audio, video}]. */
async function count(pc) {
  const at = performance.now();
  const kinds = {};
  for (const one of (await pc.getStats()).values()) if (one.type === "inbound-rtp") kinds[one.kind] = { ...one };
  room.figures.push([at, kinds]);
}

/** A steady tone instead of a microphone. */
function tone() {
  const sound = new AudioContext();
  const spoken = sound.createMediaStreamDestination();
  const voice = new OscillatorNode(sound);
  voice.connect(spoken);
  voice.start();
  return spoken.stream.getAudioTracks()[0];
}

/** Makes an offer with all candidates in it: {sdp, tracks}. */
async function offer(paintedWidth) {
  const pc = (room.pc = new RTCPeerConnection({ iceServers: [] }));
  const video = document.querySelector("video");
  video.srcObject = new MediaStream();
  pc.ontrack = ({ track }) => video.srcObject.addTrack(track);
  // A browser that sends nothing learns no round trip, and asks again for what is missing after 100 ms only.
  const mic = pc.addTransceiver(tone(), { direction: "sendrecv" });
  const camera = pc.addTransceiver("video", { direction: "recvonly" });
  const gathered = new Promise((done) => {
    pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done();
  });
  await pc.setLocalDescription();
  await gathered;
  watch(video, paintedWidth);
  setInterval(count, STATS_MS, pc);
  return { sdp: pc.localDescription.sdp, tracks: { [mic.mid]: "mic", [camera.mid]: "camera" } };
}

async function accept(sdp) {
  await room.pc.setRemoteDescription({ type: "answer", sdp });
}
