import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianPackages } from './debian-packages.ts';
import { findPrograms } from './find-program.ts';

/** A browser to be run by a test, without a window. */
export interface Chromium {
  readonly program: string;
  /** What its environment has to hold beside the machine's. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Chromium: the one that `CHROME_PATH` names, one that is installed, or on Debian one that is fetched
 * into the cache once and not installed.
 *
 * @returns where it lies, or in words why there is none here
 */
export async function findChromium(): Promise<Chromium | string> {
  const named = process.env['CHROME_PATH'];
  if (named) return { program: named, env: {} };
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const [installed] = names.flatMap(findPrograms);
  if (installed !== undefined) return { program: installed, env: {} };

  const found = await debianPackages({
    folder: `chromium-${process.arch}-1`,
    title: 'Chromium (about 110 MB)',
    packages: ['chromium-headless-shell', 'fonts-dejavu-core'],
    // What draws with a graphics card, and what only sets packages up.
    without: /^(lib)?(perl|llvm|z3|systemd|gl1-mesa-dri)|^(dpkg|tar|debconf|passwd|dbus.*)$/,
    release: 'machine',
  });
  if (typeof found === 'string') return found;
  const root = found.root();
  return {
    program: join(root, 'usr', 'lib', 'chromium', 'chromium-headless-shell'),
    env: {
      LD_LIBRARY_PATH: [found.libraryPath, join(found.libraryPath, 'pulseaudio')].join(':'),
      FONTCONFIG_FILE: await fontsFile(root),
    },
  };
}

/** A machine without fonts would show boxes; one with fonts would show others than the next one. */
async function fontsFile(root: string): Promise<string> {
  const file = join(root, 'fonts.conf');
  const fonts = join(root, 'usr', 'share', 'fonts');
  const cache = join(root, 'font-cache');
  await writeFile(
    file,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${fonts}</dir><cachedir>${cache}</cachedir></fontconfig>`,
  );
  return file;
}
