// Light, dark, or whatever the system says: kept for the next visit.
import { setText } from "./dom.js";

const KEY = "swim-theme";
const CHOICES = ["auto", "light", "dark"];

function read() {
  try {
    const kept = localStorage.getItem(KEY);
    return CHOICES.includes(kept) ? kept : "auto";
  } catch {
    return "auto";
  }
}

export function startTheme(button, onChange) {
  let choice = read();

  const apply = () => {
    if (choice === "auto") {
      delete document.documentElement.dataset.theme;
    } else {
      document.documentElement.dataset.theme = choice;
    }
    setText(button, `Theme: ${choice}`);
    onChange();
  };
  button.addEventListener("click", () => {
    choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // Then it is for this visit alone.
    }
    apply();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  apply();
}
