// Starts the page. What it needs before anything is drawn (theme, language) comes from the preferences.

import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { i18n } from './i18n'
import { usePreferences } from './stores/preferences'
import './styles/reset.css'
import './styles/base.css'

const app = createApp(App).use(createPinia()).use(i18n)
usePreferences()
app.mount('#app')
