import { mount } from 'svelte'
import App from './App.svelte'
import './app.css'
import { loadLocale } from './lib/i18n.svelte'
import { again } from './lib/places'
import { sync } from './lib/router.svelte'
import { applyTheme } from './lib/theme.svelte'

applyTheme()
const target = document.getElementById('app')
if (!target) throw new Error('index.html has no element "app"')
// The page's code comes while the words come, and the frame does not wait for it.
void sync()
// Without its words it is in English, and says what is the matter.
await loadLocale().catch(() => undefined)
mount(App, { target })
again()
